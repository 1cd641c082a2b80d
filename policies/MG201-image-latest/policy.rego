# METADATA
# title: Images have a tag that is not latest
# description: |
#   An image without a tag, or with the tag latest, is whatever was pushed last: the same manifest gives different Pods,
#   and a rollback gives nothing back. Name a version or a digest.
# related_resources:
# - https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   id: MG201
#   severity: medium
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg201

import data.mergegate.lib.environment
import data.mergegate.lib.image
import data.mergegate.lib.workload

deny contains result if {
	environment.production
	some result in findings
}

warn contains result if {
	not environment.production
	some result in findings
}

findings contains {"field": array.concat(c.path, ["image"]), "msg": msg} if {
	some c in workload.pod.containers
	parsed := image.parse(c.container.image)
	not parsed.digest
	object.get(parsed, "tag", "latest") == "latest"
	msg := sprintf("container %s runs whatever %s was pushed last: name a version or a digest", [c.name, parsed.repository])
}
