# METADATA
# title: Nobody new becomes cluster-admin
# description: |
#   cluster-admin is every right to everything. Bind a role with the rights that are needed.
# related_resources:
# - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles
# custom:
#   id: MG402
#   severity: critical
#   mergegate:
#     scope: change
#     kinds: [rbac.authorization.k8s.io/ClusterRoleBinding, rbac.authorization.k8s.io/RoleBinding]
package mergegate.policies.mg402

import data.mergegate.lib.rbac

deny contains {"field": ["subjects", i], "msg": msg} if {
	input.change.after.kind == "ClusterRoleBinding"
	some [i, subject] in admins
	msg := sprintf("%s becomes administrator of the whole cluster: bind a role with the rights that are needed", [rbac.subject_name(subject)])
}

warn contains {"field": ["subjects", i], "msg": msg} if {
	input.change.after.kind == "RoleBinding"
	some [i, subject] in admins
	msg := sprintf("%s gets every right in its Namespace: bind the role admin or a smaller one", [rbac.subject_name(subject)])
}

admins := rbac.new_subjects if {
	input.change.after.roleRef.kind == "ClusterRole"
	input.change.after.roleRef.name == "cluster-admin"
}
