package main

import data.pods

deny contains msg if {
	input.kind in {"Role", "ClusterRole"}
	some i, rule in input.rules
	some key in ["verbs", "resources", "apiGroups"]
	"*" in rule[key]
	msg := sprintf("%s: rule %d grants all %s", [pods.name, i, key])
}

deny contains msg if {
	input.kind == "ClusterRoleBinding"
	input.roleRef.name == "cluster-admin"
	msg := sprintf("%s: grants cluster-admin", [pods.name])
}
