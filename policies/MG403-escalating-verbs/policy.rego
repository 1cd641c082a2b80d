# METADATA
# title: Roles do not let their holders take more rights
# description: |
#   escalate and bind on roles lift the rule that nobody grants what they do not have; impersonate acts as somebody else.
#   Each is a way to every right.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#escalate-verb
# custom:
#   id: MG403
#   severity: high
#   mergegate:
#     scope: change
#     kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package mergegate.policies.mg403

import data.mergegate.lib.rbac

deny contains result if {
	input.change.after.kind == "ClusterRole"
	some result in findings
}

warn contains result if {
	input.change.after.kind == "Role"
	some result in findings
}

findings contains {"field": ["rules", i, "verbs"], "msg": msg} if {
	some [i, rule] in rbac.new_rules
	not rbac.everything(rule) # said by MG401
	count(rbac.values(rule, "resourceNames")) == 0
	some way in ways
	rbac.has(rule, "apiGroups", way.groups)
	rbac.has(rule, "resources", way.resources)
	granted := rbac.values(rule, "verbs") & (way.verbs | {"*"})
	count(granted) > 0
	msg := sprintf("%v %v grants %s on %s, %s: limit it by resourceNames or remove it", [
		input.change.after.kind,
		input.change.after.metadata.name,
		concat(" and ", sort(granted)),
		way.what,
		way.effect,
	])
}

ways := [
	{
		"groups": {"rbac.authorization.k8s.io"}, "resources": {"roles", "clusterroles"}, "verbs": {"escalate", "bind"},
		"what": "roles", "effect": "and so every right that a role can have",
	},
	{
		"groups": {""}, "resources": {"users", "groups", "serviceaccounts"}, "verbs": {"impersonate"},
		"what": "users, groups or ServiceAccounts", "effect": "and so the rights of each of them",
	},
]
