package mergegate.policies.mg107_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg107

test_probe if {
	found := mg107.warn with input as fixture.deployment(fixture.container({
		"livenessProbe": {"httpGet": {"path": "/", "host": "metadata.internal"}},
		"readinessProbe": {"tcpSocket": {"port": 1, "host": "10.0.0.1"}},
	}))
	fixture.pointers(found) == {
		"/spec/template/spec/containers/0/livenessProbe/httpGet/host",
		"/spec/template/spec/containers/0/readinessProbe/tcpSocket/host",
	}
}

test_hook if {
	found := mg107.warn with input as fixture.pod(fixture.container({"lifecycle": {"preStop": {"httpGet": {"host": "x"}}}}))
	fixture.pointers(found) == {"/spec/containers/0/lifecycle/preStop/httpGet/host"}
}

test_own_pod if {
	every probe in [{"httpGet": {"path": "/"}}, {"httpGet": {"host": ""}}, {"tcpSocket": {"host": null}}, {"exec": {"command": ["true"]}}] {
		found := mg107.warn with input as fixture.pod(fixture.container({"livenessProbe": probe}))
		count(found) == 0
	}
}

test_on_the_nodes_network if {
	found := mg107.warn with input as fixture.pod(object.union(
		{"hostNetwork": true},
		fixture.container({"livenessProbe": {"httpGet": {"host": "127.0.0.1"}}}),
	))
	count(found) == 0
}
