# METADATA
# title: Containers add no capabilities beyond the runtime's defaults
# description: |
#   Capabilities such as SYS_ADMIN or NET_ADMIN undo a container's isolation. Those that container runtimes give by
#   default may be added, others not.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG105
#   severity: high
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg105

import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

deny contains result if some result in podsecurity.capabilities(workload.pod)
