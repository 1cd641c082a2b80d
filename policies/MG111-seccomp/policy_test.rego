package mergegate.policies.mg111_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg111

violating := fixture.deployment(fixture.container({}))

test_nothing_set if {
	found := mg111.warn with input as violating with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/containers/0"}
}

test_for_the_whole_pod if {
	found := mg111.warn with input as fixture.pod(object.union(
		{"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}},
		fixture.container({}),
	))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_for_some_containers if {
	found := mg111.warn with input as fixture.pod({"containers": [
		{"name": "web", "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "web.json"}}},
		{"name": "proxy"},
	]})
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/containers/1"}
}

test_unconfined_is_left_to_baseline if {
	found := mg111.warn with input as fixture.pod(fixture.container({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_windows if {
	found := mg111.warn with input as fixture.pod(object.union({"os": {"name": "windows"}}, fixture.container({})))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_not_asked_for_elsewhere if {
	every application in [fixture.staging, object.union(fixture.staging, {"environment": ""}), object.union(fixture.staging, {"environment": "pre-prod"})] {
		found := mg111.warn with input as violating with data.mergegate.application as application
		count(found) == 0
	}
}
