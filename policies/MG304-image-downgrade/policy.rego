# METADATA
# title: Images do not go back to an older version
# description: |
#   An older version of an image is mostly a merge that went wrong or a copied line. Databases do not start with the data
#   of a newer version.
# related_resources:
# - https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   id: MG304
#   severity: medium
#   mergegate:
#     scope: change
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg304

import data.mergegate.lib.image
import data.mergegate.lib.workload

warn contains {"field": array.concat(c.path, ["image"]), "msg": msg} if {
	input.change.actions == ["update"]
	some c in workload.pod_of(input.change.after).containers
	some old in workload.pod_of(input.change.before).containers
	old.container.name == c.container.name
	now := image.parse(c.container.image)
	was := image.parse(old.container.image)
	now.repository == was.repository
	image.older(image.version(now.tag), image.version(was.tag))
	msg := sprintf("container %s goes back from %s to %s: say in the pull request why, if it is meant", [c.name, was.tag, now.tag])
}
