package mergegate.policies.mg403_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg403

role(kind, rules) := {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}, "rules": rules}

rule(groups, resources, verbs) := {"apiGroups": groups, "resources": resources, "verbs": verbs}

group := "rbac.authorization.k8s.io"

denied(after) := found if {
	found := mg403.deny with input as fixture.created(after)
}

test_each_verb if {
	every r in [
		rule([group], ["clusterroles"], ["escalate"]), rule([group], ["roles"], ["get", "bind"]), rule([group], ["*"], ["*"]),
		rule([group], ["roles"], ["*"]), rule(["*"], ["roles"], ["bind"]), rule([""], ["users"], ["impersonate"]),
		rule([""], ["serviceaccounts"], ["impersonate"]),
	] {
		fixture.pointers(denied(role("ClusterRole", [r]))) == {"/rules/0/verbs"}
	}
}

test_harmless if {
	every r in [
		rule([group], ["roles", "rolebindings"], ["get", "create", "update", "patch"]), rule([group], ["rolebindings"], ["*"]),
		rule([""], ["pods"], ["*"]), rule(["apps"], ["deployments"], ["impersonate"]),
	] {
		count(denied(role("ClusterRole", [r]))) == 0
	}
}

test_limited_to_names if {
	named := object.union(rule([group], ["clusterroles"], ["bind"]), {"resourceNames": ["view"]})
	count(denied(role("ClusterRole", [named]))) == 0
}

test_everything_is_left_to_mg401 if {
	count(denied(role("ClusterRole", [rule(["*"], ["*"], ["*"])]))) == 0
}

test_a_role_is_only_worth_a_warning if {
	limited := role("Role", [rule([group], ["roles"], ["escalate"])])
	count(denied(limited)) == 0
	found := mg403.warn with input as fixture.created(limited)
	fixture.pointers(found) == {"/rules/0/verbs"}
}

test_known_to_base if {
	wide := role("ClusterRole", [rule([group], ["roles"], ["escalate", "bind"])])
	narrow := role("ClusterRole", [rule([group], ["roles"], ["bind"])])
	found := mg403.deny with input as fixture.updated(wide, narrow, [])
	count(found) == 0
}
