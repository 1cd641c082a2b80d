package mergegate.policies.mg110_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg110

violating := fixture.deployment(fixture.container({}))

test_nothing_set if {
	found := mg110.warn with input as violating with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/containers/0"}
}

test_only_some_dropped if {
	found := mg110.warn with input as fixture.pod(fixture.container({"securityContext": {"capabilities": {"drop": ["NET_RAW"]}}}))
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/containers/0/securityContext/capabilities/drop"}
}

test_added_back if {
	found := mg110.warn with input as fixture.pod(fixture.container({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}}))
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/containers/0/securityContext/capabilities/add/0"}
}

test_what_baseline_forbids_is_left_to_it if {
	found := mg110.warn with input as fixture.pod(fixture.container({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}}))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_dropped if {
	found := mg110.warn with input as fixture.pod(fixture.container({"securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_windows if {
	found := mg110.warn with input as fixture.pod(object.union({"os": {"name": "windows"}}, fixture.container({})))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_not_asked_for_elsewhere if {
	every application in [fixture.staging, object.union(fixture.staging, {"environment": ""}), object.union(fixture.staging, {"environment": "pre-prod"})] {
		found := mg110.warn with input as violating with data.mergegate.application as application
		count(found) == 0
	}
}
