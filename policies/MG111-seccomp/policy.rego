# METADATA
# title: Containers have a seccomp profile
# description: |
#   Without a seccomp profile a container may make every system call. Set RuntimeDefault for the Pod.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG111
#   severity: low
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg111

import data.mergegate.lib.environment
import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

warn contains result if {
	environment.production
	some result in podsecurity.seccomp_missing(workload.pod)
}
