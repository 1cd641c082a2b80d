# METADATA
# title: Probes and lifecycle hooks stay with their own Pod
# description: |
#   A probe or hook with a host makes the kubelet call that host, from the node's network and past NetworkPolicies.
#   Without it the Pod itself is called. Kubernetes 1.34 forbids it at the level baseline.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG107
#   severity: low
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg107

import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

# On the node's own network, 127.0.0.1 is how a Pod says which of its node's addresses it means.
warn contains result if {
	not workload.pod.spec.hostNetwork
	some result in podsecurity.probe_hosts(workload.pod)
}
