# METADATA
# title: Rights are not granted to everyone
# description: |
#   system:unauthenticated and system:anonymous are whoever reaches the API server; system:authenticated is every user and
#   every Pod. Bind groups and ServiceAccounts of your own.
# related_resources:
# - https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles
# custom:
#   id: MG405
#   severity: critical
#   mergegate:
#     scope: change
#     kinds: [rbac.authorization.k8s.io/ClusterRoleBinding, rbac.authorization.k8s.io/RoleBinding]
package mergegate.policies.mg405

import data.mergegate.lib.rbac

deny contains {"field": ["subjects", i], "msg": msg} if {
	not harmless
	some [i, subject] in rbac.new_subjects
	subject.name in {"system:unauthenticated", "system:anonymous"}
	msg := sprintf("everyone who reaches the API server, without logging in, gets the role %v: bind somebody", [input.change.after.roleRef.name])
}

warn contains {"field": ["subjects", i], "msg": msg} if {
	not harmless
	some [i, subject] in rbac.new_subjects
	subject.name in {"system:authenticated", "system:serviceaccounts"}
	msg := sprintf("every Pod of the cluster that has a token gets the role %v: bind those that need it", [input.change.after.roleRef.name])
}

# harmless are the roles that Kubernetes itself binds to everyone.
harmless if input.change.after.roleRef.name in {
	"system:public-info-viewer", "system:discovery", "system:basic-user", "system:service-account-issuer-discovery",
}
