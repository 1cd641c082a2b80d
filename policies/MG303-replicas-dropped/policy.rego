# METADATA
# title: Production keeps its replicas
# description: |
#   Zero replicas is an outage; less than half of them is what the rest may not carry. Scale down in steps, or let an
#   autoscaler do it.
# related_resources:
# - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#scaling-a-deployment
# custom:
#   id: MG303
#   severity: high
#   mergegate:
#     scope: change
#     kinds: [
#       /ReplicationController, apps.openshift.io/DeploymentConfig, apps/Deployment,
#       apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout
#     ]
package mergegate.policies.mg303

import data.mergegate.lib.application
import data.mergegate.lib.environment
import data.mergegate.lib.field
import data.mergegate.lib.workload

deny contains {"field": ["spec", "replicas"], "msg": msg} if {
	environment.production
	before > 0
	after == 0
	msg := sprintf("%s goes from %v replicas to 0, which stops it: delete it if it is not needed", [workload.id(input.change.after), before])
}

warn contains {"field": field.at([], input.change.after, ["spec", "replicas"]), "msg": msg} if {
	environment.production
	after > 0
	after * 2 < before
	not application.scaled(input.change.after)
	msg := sprintf("%s goes from %v replicas to %v, less than half: can they carry the load?", [
		workload.id(input.change.after),
		before,
		after,
	])
}

before := replicas(input.change.before) if input.change.actions == ["update"]

after := replicas(input.change.after)

# One is what Kubernetes takes where nothing is said.
replicas(object_) := n if {
	is_object(object_)
	n := object.get(object_, ["spec", "replicas"], 1)
	is_number(n)
}
