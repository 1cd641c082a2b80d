# METADATA
# title: Volumes are of the types that every cluster isolates
# description: |
#   Volumes that name a storage system directly (nfs, iscsi, rbd, ...) bypass storage classes and their rights. Use a claim.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG112
#   severity: low
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg112

import data.mergegate.lib.environment
import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

warn contains result if {
	environment.production
	some result in podsecurity.volume_types(workload.pod)
}
