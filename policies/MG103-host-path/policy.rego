# METADATA
# title: Volumes are not paths of the node
# description: |
#   A hostPath volume shows a Pod files of its node: the container runtime's socket, the kubelet's credentials, other
#   Pods' data. Use emptyDir, a claim, a ConfigMap or a Secret.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG103
#   severity: high
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg103

import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

deny contains result if some result in podsecurity.host_paths(workload.pod)
