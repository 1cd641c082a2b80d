# METADATA
# title: Containers do not gain more rights than they were started with
# description: |
#   Without allowPrivilegeEscalation: false a set-uid program in the image makes a process root again.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG109
#   severity: medium
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg109

import data.mergegate.lib.environment
import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

warn contains result if {
	environment.production
	some result in podsecurity.privilege_escalation(workload.pod)
}
