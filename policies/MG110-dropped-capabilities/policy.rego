# METADATA
# title: Containers drop all capabilities
# description: |
#   A container that does not drop its capabilities keeps fourteen of them, among them reading every file and posing as
#   other addresses. Drop ALL; NET_BIND_SERVICE may be added back.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG110
#   severity: low
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg110

import data.mergegate.lib.environment
import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

warn contains result if {
	environment.production
	some result in podsecurity.capabilities_kept(workload.pod)
}
