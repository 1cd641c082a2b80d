# METADATA
# title: Containers in production request CPU and memory
# description: |
#   The scheduler places a Pod by its requests. Without them a node is filled beyond what it has, and the Pod is the first
#   to be evicted.
# related_resources:
# - https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   id: MG203
#   severity: low
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service
#     ]
package mergegate.policies.mg203

import data.mergegate.lib.environment
import data.mergegate.lib.field
import data.mergegate.lib.workload

warn contains {"field": field.at(c.path, c.container, ["resources", "requests"]), "msg": msg} if {
	environment.production
	some c in workload.lasting(workload.pod)
	missing := [resource | some resource in ["cpu", "memory"]; not requested(c.container, resource)]
	count(missing) > 0
	msg := sprintf("container %s requests no %s: set resources.requests", [c.name, concat(" and no ", missing)])
}

requested(container, resource) if {
	some kind in ["requests", "limits"] # a limit alone is a request as well
	object.get(container, ["resources", kind, resource], null) != null
}

requested(_, resource) if {
	some kind in ["requests", "limits"]
	object.get(workload.pod.spec, ["resources", kind, resource], null) != null
}
