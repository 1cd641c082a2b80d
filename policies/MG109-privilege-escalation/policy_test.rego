package mergegate.policies.mg109_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg109

violating := fixture.deployment(fixture.container({}))

test_nothing_set if {
	found := mg109.warn with input as violating with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/containers/0"}
}

test_allowed if {
	found := mg109.warn with input as fixture.pod(fixture.container({"securityContext": {"allowPrivilegeEscalation": true}}))
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/containers/0/securityContext/allowPrivilegeEscalation"}
}

test_every_container if {
	good := {"allowPrivilegeEscalation": false}
	found := mg109.warn with input as fixture.pod({
		"containers": [{"name": "web", "securityContext": good}],
		"initContainers": [{"name": "migrate", "securityContext": good}, {"name": "late"}],
	})
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/initContainers/1"}
}

test_forbidden if {
	found := mg109.warn with input as fixture.pod(fixture.container({"securityContext": {"allowPrivilegeEscalation": false}}))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_windows if {
	found := mg109.warn with input as fixture.pod(object.union({"os": {"name": "windows"}}, fixture.container({})))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_not_asked_for_elsewhere if {
	every application in [fixture.staging, object.union(fixture.staging, {"environment": ""}), object.union(fixture.staging, {"environment": "pre-prod"})] {
		found := mg109.warn with input as violating with data.mergegate.application as application
		count(found) == 0
	}
}
