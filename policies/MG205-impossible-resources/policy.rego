# METADATA
# title: Requests and limits are possible
# description: |
#   A request above its limit is refused by the API server. Memory in thousandths of a byte, or hundreds of CPUs, is a
#   suffix too many or too few.
# related_resources:
# - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   id: MG205
#   severity: high
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg205

import data.mergegate.lib.quantity
import data.mergegate.lib.workload

deny contains {"field": array.concat(c.path, ["resources", "requests", resource]), "msg": msg} if {
	some c in workload.pod.containers
	some resource, request in c.container.resources.requests
	limit := c.container.resources.limits[resource]
	quantity.parse(request) > quantity.parse(limit)
	msg := sprintf("container %s requests %v of %s and is limited to %v: raise the limit or lower the request", [
		c.name,
		request,
		resource,
		limit,
	])
}

deny contains {"field": array.concat(c.path, ["resources", kind, "memory"]), "msg": msg} if {
	some c in workload.pod.containers
	some kind in ["requests", "limits"]
	amount := c.container.resources[kind].memory
	is_string(amount)
	endswith(amount, "m")
	quantity.parse(amount) < 1048576
	msg := sprintf("container %s: %s of memory is in thousandths of a byte: write %sMi", [c.name, amount, trim_right(amount, "m")])
}

warn contains {"field": array.concat(c.path, ["resources", kind, "cpu"]), "msg": msg} if {
	some c in workload.pod.containers
	some kind in ["requests", "limits"]
	amount := c.container.resources[kind].cpu
	quantity.parse(amount) >= 100
	msg := sprintf("container %s: %v of cpu are as many whole CPUs: for thousandths write %vm", [c.name, amount, amount])
}
