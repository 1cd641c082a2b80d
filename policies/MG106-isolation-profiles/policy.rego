# METADATA
# title: Pods keep the isolation that the runtime gives them
# description: |
#   Seccomp Unconfined, AppArmor unconfined, custom SELinux users, roles and types, an unmasked /proc and unsafe sysctls
#   each remove a layer between a container and its node. Leave them at their defaults.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: MG106
#   severity: high
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg106

import data.mergegate.lib.podsecurity
import data.mergegate.lib.workload

deny contains result if {
	pod := workload.pod
	some result in union({
		podsecurity.seccomp(pod),
		podsecurity.apparmor(pod),
		podsecurity.selinux(pod),
		podsecurity.proc_mount(pod),
		podsecurity.sysctls(pod),
	})
}
