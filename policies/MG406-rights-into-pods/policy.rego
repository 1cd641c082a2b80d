# METADATA
# title: Nobody new enters Pods or acts as them
# description: |
#   exec into Pods, the nodes' proxy and tokens for ServiceAccounts each give the rights of whatever runs there, in the whole
#   cluster.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#kubernetes-rbac-privilege-escalation-risks
# custom:
#   id: MG406
#   severity: medium
#   mergegate:
#     scope: change
#     kinds: [rbac.authorization.k8s.io/ClusterRole]
package mergegate.policies.mg406

import data.mergegate.lib.rbac

warn contains {"field": ["rules", i, "resources"], "msg": msg} if {
	some [i, rule] in rbac.new_rules
	count(rbac.values(rule, "resourceNames")) == 0
	rbac.has(rule, "apiGroups", {""})
	granted := [resource |
		some resource, verbs in ways
		rbac.names(rule, "resources", {resource})
		rbac.has(rule, "verbs", verbs)
	]
	count(granted) > 0
	msg := sprintf("ClusterRole %v grants %s, and so the rights of what runs there: grant it in single Namespaces, or not at all", [
		input.change.after.metadata.name,
		concat(" and ", sort(granted)),
	])
}

ways := {
	"pods/exec": {"create", "get"},
	"pods/attach": {"create", "get"},
	"nodes/proxy": {"create", "get"},
	"serviceaccounts/token": {"create"},
}
