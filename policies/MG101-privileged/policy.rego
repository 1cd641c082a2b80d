# METADATA
# title: Containers do not run privileged
# description: |
#   A privileged container has every capability, all devices and no isolation profile: who breaks into it is root on
#   the node. Windows HostProcess containers are the same for Windows. Grant single capabilities instead.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG101
#   severity: critical
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg101

import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

deny contains result if some result in podsecurity.privileged(workload.pod)

deny contains result if some result in podsecurity.host_process(workload.pod)
