# METADATA
# title: Disruption budgets let some Pod go
# description: |
#   A PodDisruptionBudget that allows no eviction blocks every drain of a node, and with it upgrades of the cluster.
# related_resources:
# - https://kubernetes.io/docs/tasks/run-application/configure-pdb/
# custom:
#   id: MG504
#   severity: medium
#   mergegate:
#     scope: application
#     kinds: [policy/PodDisruptionBudget]
package mergegate.policies.mg504

import data.mergegate.lib.application
import data.mergegate.lib.selector
import data.mergegate.lib.workload

warn contains {"field": ["spec", "maxUnavailable"], "msg": msg, "object": budget} if {
	some budget in budgets
	budget.spec.maxUnavailable in {0, "0%", "0"}
	msg := "maxUnavailable is 0, so no Pod may ever be evicted and nodes cannot be drained: allow 1"
}

warn contains {"field": ["spec", "minAvailable"], "msg": msg, "object": budget} if {
	some budget in budgets
	budget.spec.minAvailable == "100%"
	msg := "minAvailable is 100%, so no Pod may ever be evicted and nodes cannot be drained: use maxUnavailable: 1"
}

warn contains {"field": ["spec", "minAvailable"], "msg": msg, "object": budget} if {
	some budget in budgets
	budget.spec.minAvailable != "100%"
	total := replicas(budget)
	total > 0
	needed(budget.spec.minAvailable, total) >= total
	msg := sprintf("minAvailable %v of %v replicas lets no Pod be evicted, so nodes cannot be drained: run more, or use maxUnavailable: 1", [
		budget.spec.minAvailable,
		total,
	])
}

budgets := application.of_type("policy/PodDisruptionBudget")

needed(least, _) := least if is_number(least)

needed(least, total) := ceil((to_number(trim_suffix(least, "%")) * total) / 100) if {
	is_string(least)
	regex.match(`^[0-9]{1,3}%$`, least)
}

# replicas are those of all workloads that the budget is about: the least of them, where an autoscaler sets them.
replicas(budget) := sum([n |
	some w in candidates(budget)
	workload.type(w.object) in counted
	selector.matches(budget.spec.selector, w.labels)
	n := least_replicas(w.object)
])

# candidates are the workloads that a budget may be about, found by its labels where it has some.
candidates(budget) := application.selected(application.namespace(budget), budget.spec.selector.matchLabels) if {
	is_object(budget.spec.selector.matchLabels)
	budget.spec.selector.matchLabels != {}
} else := [w |
	some w in application.workloads
	w.namespace == application.namespace(budget)
]

counted := {
	"/ReplicationController", "apps.openshift.io/DeploymentConfig", "apps/Deployment", "apps/ReplicaSet", "apps/StatefulSet",
	"argoproj.io/Rollout",
}

least_replicas(object_) := n if {
	application.scaled(object_)
	n := min([m |
		some s in application.scalers
		[s.type, s.namespace, s.name] == application.key(object_)
		m := least_of(s.object)
	])
}

least_replicas(object_) := n if {
	not application.scaled(object_)
	n := object.get(object_, ["spec", "replicas"], 1)
	is_number(n)
}

# A ScaledObject counts from zero where it does not say how many.
least_of(scaler) := n if {
	defaults := {"HorizontalPodAutoscaler": ["minReplicas", 1], "ScaledObject": ["minReplicaCount", 0]}
	[key, fallback] := defaults[scaler.kind]
	n := object.get(scaler, ["spec", key], fallback)
	is_number(n)
}
