# METADATA
# title: Containers mount volumes that the Pod has
# description: |
#   The API server refuses a mount of a volume that the Pod does not have. Mostly the volume was renamed, or a patch brought
#   only one half.
# related_resources:
# - https://kubernetes.io/docs/concepts/storage/volumes/
# custom:
#   id: MG507
#   severity: high
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg507

import data.mergegate.lib.field
import data.mergegate.lib.workload

deny contains {"field": array.concat(c.path, [list, i, "name"]), "msg": msg} if {
	some c in workload.pod.containers
	some list in ["volumeMounts", "volumeDevices"]
	some [i, mount] in field.objects(c.container, [list])
	name := field.string(mount, ["name"])
	not name in volumes
	msg := sprintf("container %s mounts the volume %s, which the Pod does not have: the API server refuses it", [c.name, name])
}

volumes := {volume.name | some [_, volume] in field.objects(workload.pod.spec, ["volumes"])} | {claim.metadata.name |
	some [_, claim] in field.objects(input, ["spec", "volumeClaimTemplates"])
}
