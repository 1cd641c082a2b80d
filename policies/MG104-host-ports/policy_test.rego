package mergegate.policies.mg104_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg104

test_host_port if {
	found := mg104.deny with input as fixture.deployment(fixture.container({"ports": [
		{"containerPort": 80},
		{"containerPort": 443, "hostPort": 443},
	]}))
	fixture.pointers(found) == {"/spec/template/spec/containers/0/ports/1/hostPort"}
}

test_init_container if {
	found := mg104.deny with input as fixture.pod({"initContainers": [{"name": "proxy", "ports": [{"hostPort": 53}]}]})
	fixture.pointers(found) == {"/spec/initContainers/0/ports/0/hostPort"}
}

test_none if {
	every port in [{"containerPort": 80}, {"containerPort": 80, "hostPort": 0}, {"containerPort": 80, "hostPort": null}] {
		found := mg104.deny with input as fixture.pod(fixture.container({"ports": [port]}))
		count(found) == 0
	}
}
