package mergegate.policies.mg204_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg204

serving(c) := fixture.deployment(fixture.container(object.union({"ports": [{"containerPort": 8080}]}, c)))

probe := {"httpGet": {"path": "/healthz", "port": 8080}}

test_no_probe if {
	found := mg204.warn with input as serving({}) with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/containers/0"}
}

test_a_liveness_probe_is_none if {
	found := mg204.warn with input as serving({"livenessProbe": probe}) with data.mergegate.application as fixture.production
	count(found) == 1
}

test_probe if {
	found := mg204.warn with input as serving({"readinessProbe": probe}) with data.mergegate.application as fixture.production
	count(found) == 0
}

test_probe_of_another_container if {
	found := mg204.warn with input as fixture.deployment({"containers": [
		{"name": "proxy", "ports": [{"containerPort": 8080}]},
		{"name": "web", "readinessProbe": probe},
	]})
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_readiness_gate if {
	found := mg204.warn with input as fixture.deployment({
		"readinessGates": [{"conditionType": "example.com/ready"}],
		"containers": [{"name": "web", "ports": [{"containerPort": 8080}]}],
	})
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_without_ports if {
	found := mg204.warn with input as fixture.deployment(fixture.container({})) with data.mergegate.application as fixture.production
	count(found) == 0
}

test_not_asked_for_elsewhere if {
	found := mg204.warn with input as serving({}) with data.mergegate.application as fixture.staging
	count(found) == 0
}
