# METADATA
# title: Nothing that is still in use is deleted
# description: |
#   A Pod that refers to a ConfigMap, Secret, ServiceAccount or claim that is gone does not start; an Ingress whose Service
#   is gone answers 503. Remove the reference first.
# related_resources:
# - https://kubernetes.io/docs/concepts/configuration/configmap/
# custom:
#   id: MG308
#   severity: high
#   mergegate:
#     scope: change
#     kinds: [/ConfigMap, /PersistentVolumeClaim, /Secret, /Service, /ServiceAccount]
package mergegate.policies.mg308

import data.mergegate.lib.application
import data.mergegate.lib.references
import data.mergegate.lib.workload

deny contains {"field": ["metadata", "name"], "msg": msg} if {
	input.change.actions == ["delete"]
	not application.kept(input.change.before)
	users := {workload.id(user) | some user in referring}
	count(users) > 0
	not made_otherwise
	msg := sprintf("%s is deleted and still in use by %s: remove the reference too, or keep it", [
		workload.id(input.change.before),
		concat(", ", sort(users)),
	])
}

kind := input.change.before.kind

name := application.name(input.change.before)

namespace := application.namespace(input.change.before)

referring contains w.object if {
	kind != "Service"
	some w in application.workloads
	w.namespace == namespace
	some reference in references.of(w.pod)
	reference.kind == kind
	reference.name == name
}

referring contains object_ if {
	kind == "Service"
	some object_ in input.objects
	application.namespace(object_) == namespace
	some reference in references.services(object_)
	reference[0] == name
}

# made_otherwise says that something else makes an object of this name: an ExternalSecret, a Certificate, an operator.
made_otherwise if {
	kind in {"Secret", "ConfigMap"}
	some object_ in input.objects
	custom(object_)
	application.namespace(object_) == namespace
	walk([object.get(object_, "spec", null), application.name(object_)], [_, value])
	value == name
}

custom(object_) if {
	group := workload.group(object_)
	contains(group, ".")
	not endswith(group, ".k8s.io")
}

custom(object_) if endswith(workload.group(object_), ".x-k8s.io")
