# Shared by the policies of this directory: where an object keeps its pods' specification.
package pods

spec := input.spec if input.kind == "Pod"

spec := input.spec.template.spec if {
	input.kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"}
}

spec := input.spec.jobTemplate.spec.template.spec if input.kind == "CronJob"

containers contains c if some c in spec.containers

containers contains c if some c in spec.initContainers

name := sprintf("%s %s/%s", [input.kind, object.get(input.metadata, "namespace", ""), input.metadata.name])
