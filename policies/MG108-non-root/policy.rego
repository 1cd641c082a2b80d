# METADATA
# title: Containers run as another user than root
# description: |
#   Root in a container is root in the kernel's eyes unless the Pod has its own user namespace. Set runAsNonRoot, so that
#   an image that runs as root does not start.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG108
#   severity: medium
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg108

import data.mergegate.lib.environment
import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

warn contains result if {
	environment.production
	some result in podsecurity.root(workload.pod)
}
