# METADATA
# title: Image tags in production name a version
# description: |
#   Tags such as main, stable or alpine are moved to a new image by every build, as latest is. Name a version, a commit or
#   a digest.
# related_resources:
# - https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   id: MG202
#   severity: low
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg202

import data.mergegate.lib.environment
import data.mergegate.lib.image
import data.mergegate.lib.workload

warn contains {"field": array.concat(c.path, ["image"]), "msg": msg} if {
	environment.production
	some c in workload.pod.containers
	parsed := image.parse(c.container.image)
	not parsed.digest
	parsed.tag != "latest"
	regex.match(`^[A-Za-z._-]+$`, parsed.tag)
	not looks_like_commit(parsed.tag)
	msg := sprintf("container %s runs whatever was last tagged %s: name a version, a commit or a digest", [c.name, parsed.tag])
}

# looks_like_commit is true for a hash that happens to have letters only.
looks_like_commit(tag) if regex.match(`^[a-f]{7,40}$`, tag)
