# METADATA
# title: Services in production say when they are ready
# description: |
#   Without a readiness probe a Pod gets traffic as soon as its process is started, and an update goes on to the next Pod
#   before this one answers.
# related_resources:
# - https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
# custom:
#   id: MG204
#   severity: low
#   mergegate:
#     scope: object
#     kinds: [apps.openshift.io/DeploymentConfig, apps/Deployment, apps/StatefulSet, argoproj.io/Rollout]
package mergegate.policies.mg204

import data.mergegate.lib.environment
import data.mergegate.lib.field
import data.mergegate.lib.workload

warn contains {"field": serving[0].path, "msg": msg} if {
	environment.production
	not probed
	msg := sprintf("container %s has ports and no container of the Pod has a readinessProbe: add one", [serving[0].name])
}

# serving are the containers with ports.
serving := [c |
	some c in workload.lasting(workload.pod)
	count(field.objects(c.container, ["ports"])) > 0
]

probed if {
	some c in workload.lasting(workload.pod)
	is_object(c.container.readinessProbe)
}

probed if count(object.get(workload.pod.spec, "readinessGates", [])) > 0
