# METADATA
# title: Pods have their own namespaces, not their node's
# description: |
#   hostNetwork, hostPID and hostIPC put a Pod into its node's namespaces: past every NetworkPolicy, in sight of all
#   processes, or in their shared memory. Remove the field.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG102
#   severity: high
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg102

import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

deny contains result if some result in podsecurity.host_namespaces(workload.pod)
