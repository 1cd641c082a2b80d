package mergegate.policies.mg404_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg404

role(kind, rules) := {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}, "rules": rules}

rule(groups, resources, verbs) := {"apiGroups": groups, "resources": resources, "verbs": verbs}

binding(kind) := {
	"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "x"},
	"roleRef": {"kind": "ClusterRole", "name": "x"},
}

reads_secrets := role("ClusterRole", [rule([""], ["configmaps", "secrets"], ["get", "list"])])

test_reads_all if {
	every r in [
		rule([""], ["secrets"], ["get"]), rule([""], ["secrets"], ["watch"]), rule([""], ["secrets"], ["*"]),
		rule([""], ["*"], ["list"]), rule(["*"], ["*"], ["get"]), rule(["", "apps"], ["secrets", "pods"], ["list"]),
	] {
		found := mg404.warn with input as fixture.created(role("ClusterRole", [r]))
		fixture.pointers(found) == {"/rules/0"}
	}
}

test_does_not_read_all if {
	every r in [
		rule([""], ["secrets"], ["create", "patch"]), rule([""], ["configmaps"], ["get"]), rule(["apps"], ["*"], ["*"]),
		object.union(rule([""], ["secrets"], ["get"]), {"resourceNames": ["tls"]}), rule(["*"], ["*"], ["*"]),
	] {
		found := mg404.warn with input as fixture.created(role("ClusterRole", [r]))
		count(found) == 0
	}
}

test_bound_in_a_namespace if {
	change := fixture.created(reads_secrets)
	one := mg404.warn with input as object.union(change, {"objects": [reads_secrets, binding("RoleBinding")]})
	count(one) == 0
	both := mg404.warn with input as object.union(change, {"objects": [reads_secrets, binding("RoleBinding"), binding("ClusterRoleBinding")]})
	count(both) == 1
}

test_known_to_base if {
	found := mg404.warn with input as fixture.updated(
		reads_secrets, role("ClusterRole", [
			rule(["apps"], ["deployments"], ["get"]),
			rule([""], ["secrets"], ["get"]),
		]),
		[],
	)
	count(found) == 0
}
