package mergegate.policies.mg508_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg508

denied(selector) := found if {
	found := mg508.deny with input as json.patch(
		fixture.deployment({"containers": []}),
		[{"op": "add", "path": "/spec/selector", "value": selector}],
	)
}

test_mismatch if {
	every selector in [
		{"matchLabels": {"app": "wbe"}}, {"matchLabels": {"app": "web", "tier": "front"}}, {},
		{"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]},
	] {
		fixture.pointers(denied(selector)) == {"/spec/selector"}
	}
}

test_missing if {
	found := mg508.deny with input as fixture.deployment({"containers": []})
	fixture.pointers(found) == {"/spec"}
}

test_match if {
	count(denied({"matchLabels": {"app": "web"}})) == 0
	count(denied({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]})) == 0
}

test_without_a_template if {
	found := mg508.deny with input as {
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
		"spec": {"workloadRef": {"kind": "Deployment", "name": "web"}},
	}
	count(found) == 0
}
