package mergegate.lib.selector_test

import data.mergegate.lib.selector

labels := {"app": "web", "tier": "front"}

test_matching if {
	every s in [
		{}, {"matchLabels": {}}, {"matchLabels": {"app": "web"}}, {"matchLabels": null, "matchExpressions": null},
		{"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]},
		{"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]},
		{"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]},
		{"matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "zone", "operator": "DoesNotExist"}]},
	] {
		selector.matches(s, labels)
	}
}

test_not_matching if {
	every s in [
		{"matchLabels": {"app": "api"}}, {"matchLabels": {"app": "web", "zone": "a"}},
		{"matchExpressions": [{"key": "app", "operator": "In", "values": ["api"]}]},
		{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]},
		{"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]},
		{"matchExpressions": [{"key": "zone", "operator": "Exists"}]},
		{"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
		{"matchExpressions": [{"key": "app", "operator": "Near", "values": ["web"]}]},
		null, "app=web",
	] {
		not selector.matches(s, labels)
	}
}
