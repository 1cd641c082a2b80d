package mergegate.policies.mg401_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg401

role(kind, rules) := {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}, "rules": rules}

rule(groups, resources, verbs) := {"apiGroups": groups, "resources": resources, "verbs": verbs}

denied(after) := found if {
	found := mg401.deny with input as fixture.created(after)
}

warned(after) := found if {
	found := mg401.warn with input as fixture.created(after)
}

test_everything if {
	every r in [
		rule(["*"], ["*"], ["*"]), rule(["*"], ["*"], ["get", "patch"]), rule([""], ["*"], ["*"]),
		rule(["", "apps"], ["*"], ["*"]), rule(["*"], ["*"], ["create"]),
	] {
		fixture.pointers(denied(role("ClusterRole", [rule([""], ["pods"], ["get"]), r]))) == {"/rules/1"}
	}
}

test_a_role_is_only_worth_a_warning if {
	everything := role("Role", [rule(["*"], ["*"], ["*"])])
	count(denied(everything)) == 0
	fixture.pointers(warned(everything)) == {"/rules/0/apiGroups"}
}

test_one_wildcard if {
	fixture.pointers(warned(role("ClusterRole", [rule([""], ["pods"], ["*"])]))) == {"/rules/0/verbs"}
	fixture.pointers(warned(role("ClusterRole", [rule(["*"], ["*"], ["get", "list"])]))) == {"/rules/0/apiGroups"}
	count(denied(role("ClusterRole", [rule(["*"], ["*"], ["get", "list", "watch"])]))) == 0
}

test_own_groups_of_an_operator if {
	count(warned(role("ClusterRole", [rule(["shop.example.com"], ["*"], ["*"])]))) == 0
	count(denied(role("ClusterRole", [rule(["shop.example.com"], ["*"], ["*"])]))) == 0
}

test_listed if {
	count(warned(role("ClusterRole", [rule(["", "apps"], ["pods", "deployments"], ["get", "patch"])]))) == 0
}

test_known_to_base if {
	wide := rule(["*"], ["*"], ["*"])
	narrow := rule([""], ["pods"], ["get"])
	found := mg401.deny with input as fixture.updated(role("ClusterRole", [wide]), role("ClusterRole", [narrow, wide]), [])
	count(found) == 0
}

test_widened if {
	before := role("ClusterRole", [rule(["apps"], ["*"], ["*"])])
	after := role("ClusterRole", [rule(["*"], ["*"], ["*"])])
	found := mg401.deny with input as fixture.updated(before, after, [])
	count(found) == 1
}

test_narrowed if {
	before := role("ClusterRole", [rule(["*"], ["*"], ["*"])])
	after := role("ClusterRole", [rule(["apps"], ["*"], ["*"])])
	found := mg401.warn with input as fixture.updated(before, after, [])
	count(found) == 0
}

test_no_longer_limited_to_names if {
	named := object.union(rule([""], ["secrets"], ["*"]), {"resourceNames": ["tls"]})
	found := mg401.warn with input as fixture.updated(role("Role", [named]), role("Role", [rule([""], ["secrets"], ["*"])]), [])
	count(found) == 1
}

test_deleted_and_aggregated if {
	found := mg401.deny with input as fixture.deleted(role("ClusterRole", [rule(["*"], ["*"], ["*"])]))
	count(found) == 0
	count(denied({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "x"}, "aggregationRule": {}, "rules": null})) == 0
}
