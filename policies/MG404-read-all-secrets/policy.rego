# METADATA
# title: Nobody new reads the Secrets of the whole cluster
# description: |
#   The Secrets of a cluster hold the tokens of every ServiceAccount that has one, and so their rights. Bind the role in the
#   Namespaces that need it.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets
# custom:
#   id: MG404
#   severity: medium
#   mergegate:
#     scope: change
#     kinds: [rbac.authorization.k8s.io/ClusterRole]
package mergegate.policies.mg404

import data.mergegate.lib.rbac
import data.mergegate.lib.workload

warn contains {"field": ["rules", i], "msg": msg} if {
	some [i, rule] in rbac.new_rules
	not rbac.everything(rule) # said by MG401
	count(rbac.values(rule, "resourceNames")) == 0
	rbac.has(rule, "apiGroups", {""})
	rbac.has(rule, "resources", {"secrets"})
	rbac.has(rule, "verbs", rbac.reading)
	not bound_in_namespaces_only
	msg := sprintf("ClusterRole %v reads every Secret of the cluster: name the Secrets, or bind it in single Namespaces", [
		input.change.after.metadata.name,
	])
}

# bound_in_namespaces_only says that the application binds the role, and nowhere for the whole cluster.
bound_in_namespaces_only if {
	"RoleBinding" in binding_kinds
	not "ClusterRoleBinding" in binding_kinds
}

binding_kinds := {object_.kind |
	some object_ in input.objects
	workload.group(object_) == "rbac.authorization.k8s.io"
	object_.roleRef.kind == "ClusterRole"
	object_.roleRef.name == input.change.after.metadata.name
}
