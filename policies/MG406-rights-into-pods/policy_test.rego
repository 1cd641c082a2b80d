package mergegate.policies.mg406_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg406

role(kind, rules) := {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "x"}, "rules": rules}

rule(groups, resources, verbs) := {"apiGroups": groups, "resources": resources, "verbs": verbs}

warned(r) := found if {
	found := mg406.warn with input as fixture.created(role("ClusterRole", [r]))
}

test_each if {
	every resource in ["pods/exec", "pods/attach", "nodes/proxy", "serviceaccounts/token"] {
		fixture.pointers(warned(rule([""], ["pods", resource], ["create"]))) == {"/rules/0/resources"}
		fixture.pointers(warned(rule([""], [resource], ["*"]))) == {"/rules/0/resources"}
	}
}

test_harmless if {
	every r in [
		rule([""], ["pods", "pods/log", "nodes/metrics"], ["get", "list"]), rule([""], ["pods/exec"], ["list"]),
		rule(["apps"], ["pods/exec"], ["create"]), rule([""], ["serviceaccounts/token"], ["get"]),
		object.union(rule([""], ["serviceaccounts/token"], ["create"]), {"resourceNames": ["web"]}),
	] {
		count(warned(r)) == 0
	}
}

test_known_to_base if {
	same := role("ClusterRole", [rule([""], ["pods/exec"], ["create"])])
	found := mg406.warn with input as fixture.updated(same, same, [])
	count(found) == 0
}
