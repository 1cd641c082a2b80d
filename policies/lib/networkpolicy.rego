# METADATA
# title: What NetworkPolicies limit
package mergegate.lib.networkpolicy

import data.mergegate.lib.application
import data.mergegate.lib.field
import data.mergegate.lib.selector

# isolates says whether a policy limits the direction (Ingress, Egress) of Pods with these labels in its namespace.
isolates(policy, direction, labels) if {
	direction in directions(policy)
	selector.matches(object.get(policy, ["spec", "podSelector"], {}), labels)
}

# directions are those that a policy limits: what policyTypes says, or else Ingress, and Egress if it has rules for it.
directions(policy) := {"Ingress", "Egress"} & {direction | some [_, direction] in field.list(policy, ["spec", "policyTypes"])} if {
	count(field.list(policy, ["spec", "policyTypes"])) > 0
} else := {"Ingress", "Egress"} if {
	count(field.list(policy, ["spec", "egress"])) > 0
} else := {"Ingress"}

# policies are the NetworkPolicies as proposed.
policies := application.of_type("networking.k8s.io/NetworkPolicy")

# isolated says whether any policy limits the direction of a workload of mergegate.lib.application.
isolated(w, direction) if {
	some policy in policies
	application.namespace(policy) == w.namespace
	isolates(policy, direction, w.labels)
}

# openings are the rules of a policy that let everyone in or out: direction, to whom, on which ports, and where.
openings(policy) := [opening |
	some direction, names in {"Ingress": ["ingress", "from"], "Egress": ["egress", "to"]}
	some [i, rule] in field.objects(policy, ["spec", names[0]])
	peers := field.objects(rule, [names[1]])
	some found in array.concat(
		[["everyone", ["spec", names[0], i]] | count(peers) == 0],
		[[whom, ["spec", names[0], i, names[1], j]] | some [j, peer] in peers; whom := breadth(peer)],
	)
	opening := {
		"direction": direction,
		"whom": found[0],
		"path": found[1],
		"ports": {port | some [_, port] in field.list(rule, ["ports"])},
	}
]

breadth(peer) := "every address" if {
	peer.ipBlock.cidr in {"0.0.0.0/0", "::/0"}
	count(field.list(peer, ["ipBlock", "except"])) == 0
}

breadth(peer) := "every Namespace" if {
	peer.namespaceSelector == {}
	object.get(peer, "podSelector", {}) == {}
}
