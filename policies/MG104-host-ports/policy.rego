# METADATA
# title: Containers do not take ports of the node
# description: |
#   A hostPort is open on the node's own address, past NetworkPolicies, and only one Pod per node can have it. Use a
#   Service.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG104
#   severity: medium
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg104

import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

deny contains result if some result in podsecurity.host_ports(workload.pod)
