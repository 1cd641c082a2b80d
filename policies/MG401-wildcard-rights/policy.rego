# METADATA
# title: Roles do not grant everything
# description: |
#   A wildcard grants what exists today and whatever is installed tomorrow. Writing to all resources is cluster-admin by
#   another name. List the resources and verbs that are needed.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   id: MG401
#   severity: critical
#   mergegate:
#     scope: change
#     kinds: [rbac.authorization.k8s.io/ClusterRole, rbac.authorization.k8s.io/Role]
package mergegate.policies.mg401

import data.mergegate.lib.rbac

deny contains {"field": ["rules", i], "msg": msg} if {
	input.change.after.kind == "ClusterRole"
	some [i, rule] in rbac.new_rules
	rbac.everything(rule)
	msg := sprintf("ClusterRole %v lets its holders change everything in the cluster: list the resources and verbs that are needed", [
		input.change.after.metadata.name,
	])
}

warn contains {"field": ["rules", i, wide[0]], "msg": msg} if {
	some [i, rule] in rbac.new_rules
	not denied(rule)
	of_kubernetes(rule)
	wide := [dimension | some dimension in ["apiGroups", "resources", "verbs"]; "*" in rbac.values(rule, dimension)]
	count(wide) > 0
	msg := sprintf("%v %v grants all %s: list those that are needed", [
		input.change.after.kind,
		input.change.after.metadata.name,
		concat(" and all ", wide),
	])
}

denied(rule) if {
	input.change.after.kind == "ClusterRole"
	rbac.everything(rule)
}

# of_kubernetes says whether a rule reaches Kubernetes' own groups. An operator may have all rights to its own.
of_kubernetes(rule) if {
	some group in rbac.values(rule, "apiGroups")
	own(group)
}

own("*")

own(group) if {
	is_string(group)
	not contains(group, ".")
}

own(group) if {
	is_string(group)
	endswith(group, ".k8s.io")
}
