package mergegate.policies.mg108_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg108

violating := fixture.deployment(fixture.container({}))

test_nothing_set if {
	found := mg108.warn with input as violating with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/containers/0"}
}

test_nearest_parent if {
	found := mg108.warn with input as fixture.deployment(fixture.container({"securityContext": {"privileged": false}}))
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/containers/0/securityContext"}
}

test_root_by_number if {
	found := mg108.warn with input as fixture.pod({
		"securityContext": {"runAsNonRoot": true, "runAsUser": 0},
		"containers": [{"name": "web"}],
	})
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/securityContext/runAsUser"}
}

test_container_overrides_the_pod if {
	found := mg108.warn with input as fixture.pod({
		"securityContext": {"runAsNonRoot": true},
		"containers": [{"name": "web", "securityContext": {"runAsNonRoot": false}}],
	})
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/containers/0/securityContext/runAsNonRoot"}
}

test_for_the_whole_pod if {
	found := mg108.warn with input as fixture.pod({
		"securityContext": {"runAsNonRoot": true},
		"containers": [{"name": "web"}], "initContainers": [{"name": "migrate"}],
	})
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_for_each_container if {
	found := mg108.warn with input as fixture.pod({"containers": [{"name": "web", "securityContext": {"runAsNonRoot": true}}]})
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_own_user_namespace if {
	found := mg108.warn with input as fixture.pod({"hostUsers": false, "containers": [{"name": "web", "securityContext": {"runAsUser": 0}}]})
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_not_asked_for_elsewhere if {
	every application in [fixture.staging, object.union(fixture.staging, {"environment": ""}), object.union(fixture.staging, {"environment": "pre-prod"})] {
		found := mg108.warn with input as violating with data.mergegate.application as application
		count(found) == 0
	}
}
