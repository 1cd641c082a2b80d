# METADATA
# title: Requests and limits grow in steps
# description: |
#   More than three times the CPU or memory at once is mostly a unit that went wrong, and may be more than the nodes have.
# related_resources:
# - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   id: MG307
#   severity: low
#   mergegate:
#     scope: change
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg307

import data.mergegate.lib.quantity
import data.mergegate.lib.workload

warn contains {"field": array.concat(c.path, ["resources", kind, resource]), "msg": msg} if {
	input.change.actions == ["update"]
	some c in workload.pod_of(input.change.after).containers
	some old in workload.pod_of(input.change.before).containers
	old.container.name == c.container.name
	some kind in ["requests", "limits"]
	some resource, worth_a_word in {"cpu": 0.5, "memory": 536870912}
	was := old.container.resources[kind][resource]
	now := c.container.resources[kind][resource]
	quantity.parse(now) > quantity.parse(was) * 3
	quantity.parse(now) >= worth_a_word
	msg := sprintf("container %s goes from %v to %v of %s in resources.%s, more than three times as much: is the unit right?", [
		c.name,
		was,
		now,
		resource,
		kind,
	])
}
