# METADATA
# title: Immutable fields do not change
# description: |
#   The API server refuses an update that changes such a field: the merge is done, the deployment fails, and the objects
#   after it are not applied. Keep the value, or give the object a new name.
# related_resources:
# - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates
# custom:
#   id: MG301
#   severity: high
#   mergegate:
#     scope: change
#     kinds: [
#       /ConfigMap, /PersistentVolume, /PersistentVolumeClaim, /Secret, /Service,
#       apiextensions.k8s.io/CustomResourceDefinition, apps/DaemonSet, apps/Deployment,
#       apps/ReplicaSet, apps/StatefulSet, batch/Job, networking.k8s.io/IngressClass,
#       node.k8s.io/RuntimeClass, rbac.authorization.k8s.io/ClusterRoleBinding,
#       rbac.authorization.k8s.io/RoleBinding, scheduling.k8s.io/PriorityClass,
#       storage.k8s.io/StorageClass
#     ]
package mergegate.policies.mg301

import data.mergegate.lib.application
import data.mergegate.lib.field
import data.mergegate.lib.quantity
import data.mergegate.lib.workload

deny contains {"field": place(path), "msg": msg} if {
	not application.replaced(input.change.after)
	some path in changed
	msg := sprintf("%s: %s cannot be changed, the API server refuses the update: %s", [
		workload.id(input.change.after),
		concat(".", path),
		remedy(input.change.after.kind),
	])
}

warn contains {"field": place(path), "msg": msg} if {
	application.replaced(input.change.after)
	not input.change.after.kind == "Job" # made to be replaced
	some path in changed
	msg := sprintf("%s: %s cannot be changed, so the object will be deleted and created anew", [
		workload.id(input.change.after),
		concat(".", path),
	])
}

# immutable are the paths of the fields that never change, by type.
immutable := {
	"apiextensions.k8s.io/CustomResourceDefinition": {["spec", "group"], ["spec", "scope"], ["spec", "names", "kind"], ["spec", "names", "plural"]},
	"apps/DaemonSet": {["spec", "selector"]},
	"apps/Deployment": {["spec", "selector"]},
	"apps/ReplicaSet": {["spec", "selector"]},
	"batch/Job": {["spec", "selector"], ["spec", "template"], ["spec", "completionMode"], ["spec", "podFailurePolicy"], ["spec", "backoffLimitPerIndex"]},
	"networking.k8s.io/IngressClass": {["spec", "controller"]},
	"node.k8s.io/RuntimeClass": {["handler"]},
	"rbac.authorization.k8s.io/ClusterRoleBinding": {["roleRef"]},
	"rbac.authorization.k8s.io/RoleBinding": {["roleRef"]},
	"scheduling.k8s.io/PriorityClass": {["value"], ["preemptionPolicy"]},
	"storage.k8s.io/StorageClass": {["provisioner"], ["parameters"], ["reclaimPolicy"], ["volumeBindingMode"]},
	"/Secret": {["type"]},
}

# mutable are the fields of the specs in which all others are immutable, by type.
mutable := {
	"apps/StatefulSet": {
		"minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "replicas", "revisionHistoryLimit", "template",
		"updateStrategy",
	},
	"/PersistentVolumeClaim": {"resources", "volumeAttributesClassName", "volumeName"},
	"/PersistentVolume": {
		"accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy", "storageClassName",
		"volumeAttributesClassName",
	},
}

type := workload.type(input.change.after) if {
	input.change.actions == ["update"]
	input.change.before.metadata.name == input.change.after.metadata.name # a generated name changes with the content
}

# touched are the paths of all changed fields, parts of which may be indexes.
touched := {field.pointer(f.path) | some f in input.change.fields}

changed contains path if {
	some path in immutable[type]
	some full in touched
	array.slice(full, 0, count(path)) == path
	not suspended_job
}

changed contains ["spec", key] if {
	allowed := mutable[type]
	some full in touched
	full[0] == "spec"
	key := full[1]
	not key in allowed
}

# A claim may grow and not shrink.
changed contains ["spec", "resources", "requests", "storage"] if {
	type == "/PersistentVolumeClaim"
	before := quantity.parse(input.change.before.spec.resources.requests.storage)
	quantity.parse(input.change.after.spec.resources.requests.storage) < before
}

# The address of a Service may go when its type no longer has one, and otherwise stays as it is.
changed contains ["spec", "clusterIP"] if {
	type == "/Service"
	address := input.change.after.spec.clusterIP
	not address in {"", null}
	address != object.get(input.change.before, ["spec", "clusterIP"], "")
	not "ExternalName" in {s.spec.type | some s in [input.change.before, input.change.after]}
}

changed contains ["spec", "loadBalancerClass"] if {
	type == "/Service"
	every s in [input.change.before, input.change.after] {
		s.spec.type == "LoadBalancer"
	}
	class := input.change.before.spec.loadBalancerClass
	class != object.get(input.change.after, ["spec", "loadBalancerClass"], "")
}

# A ConfigMap or Secret that was declared immutable.
changed contains [key] if {
	type in {"/ConfigMap", "/Secret"}
	input.change.before.immutable == true
	some full in touched
	key := full[0]
	key in {"data", "binaryData", "stringData", "immutable"}
}

# A suspended Job's template may be changed in part, before it starts.
suspended_job if {
	type == "batch/Job"
	input.change.before.spec.suspend == true
}

# place is the changed field, if it is the only one below the path, or else the path.
place(path) := field.at([], input.change.after, exact[0]) if {
	exact := [full | some full in touched; array.slice(full, 0, count(path)) == path]
	count(exact) == 1
} else := field.at([], input.change.after, path)

remedy("Job") := "give the Job a new name, or a generated one"

remedy("StatefulSet") := "keep it, or delete the StatefulSet with --cascade=orphan first"

remedy("PersistentVolumeClaim") := "keep it, or use a new claim"

remedy("Deployment") := "keep the selector, or give the Deployment a new name"

remedy("ConfigMap") := "give it a new name, as generators do"

remedy("Secret") := "give it a new name, as generators do"

remedy(kind) := "keep it, or give the object a new name" if {
	not kind in {"Job", "StatefulSet", "PersistentVolumeClaim", "Deployment", "ConfigMap", "Secret"}
}
