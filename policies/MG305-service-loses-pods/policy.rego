# METADATA
# title: Services keep the Pods that they serve
# description: |
#   When the selector of a Service and the labels of Pods no longer meet, the Service has no endpoints, and nothing but the
#   callers notices. Change both together, or neither.
# related_resources:
# - https://kubernetes.io/docs/concepts/services-networking/service/
# custom:
#   id: MG305
#   severity: high
#   mergegate:
#     scope: application
#     kinds: [/Service]
package mergegate.policies.mg305

import data.mergegate.lib.application
import data.mergegate.lib.field
import data.mergegate.lib.workload

deny contains {"field": place(service), "msg": msg, "object": service} if {
	some service in services
	lost := lost_by(service)
	count(lost) > 0
	not still_serves(service)
	msg := sprintf("Service %s no longer selects the Pods of %s, and none of the application at all: it will have no endpoints", [
		application.name(service),
		concat(", ", sort(lost)),
	])
}

warn contains {"field": place(service), "msg": msg, "object": service} if {
	some service in services
	lost := lost_by(service)
	count(lost) > 0
	still_serves(service)
	msg := sprintf("Service %s no longer selects the Pods of %s", [application.name(service), concat(", ", sort(lost))])
}

services := [service |
	some service in input.objects
	workload.type(service) == "/Service"
	application.key(service) in application.base_keys
]

# served are the Services and workloads that met before.
served contains [application.key(service), w.key] if {
	some service in input.base
	workload.type(service) == "/Service"
	some w in application.base_workloads
	selects(service, w)
}

# lost_by are the workloads that are still there and were served by a Service that now does not select them.
lost_by(service) := {workload.id(w.object) |
	key := application.key(service)
	some w in application.workloads
	[key, w.key] in served
	not selects(service, w)
}

still_serves(service) if {
	some w in application.workloads
	selects(service, w)
}

selects(service, w) if {
	w.namespace == application.namespace(service)
	count(service.spec.selector) > 0
	object.subset(w.labels, service.spec.selector)
}

place(service) := field.at([], service, ["spec", "selector"])
