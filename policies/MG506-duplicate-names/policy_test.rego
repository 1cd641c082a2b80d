package mergegate.policies.mg506_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg506

denied(spec) := found if {
	found := mg506.deny with input as fixture.pod(spec)
}

test_containers if {
	fixture.pointers(denied({"containers": [{"name": "a"}, {"name": "b"}, {"name": "a"}]})) == {"/spec/containers/2/name"}
	fixture.pointers(denied({"initContainers": [{"name": "a"}], "containers": [{"name": "a"}]})) == {"/spec/containers/0/name"}
}

test_volumes if {
	fixture.pointers(denied({"volumes": [{"name": "a"}, {"name": "a"}]})) == {"/spec/volumes/1/name"}
}

test_ports if {
	fixture.pointers(denied({"containers": [{"name": "a", "ports": [{"name": "http"}, {"name": "http"}]}]})) == {"/spec/containers/0/ports/1/name"}
	count(denied({"containers": [{"name": "a", "ports": [{"name": "http"}]}, {"name": "b", "ports": [{"name": "http"}]}]})) == 0
	count(denied({"containers": [{"name": "a", "ports": [{"containerPort": 1}, {"containerPort": 2}]}]})) == 0
}

test_mounts if {
	fixture.pointers(denied({"containers": [{"name": "a", "volumeMounts": [
		{"name": "x", "mountPath": "/x"}, {"name": "y", "mountPath": "/y"}, {"name": "y", "mountPath": "/x"},
	]}]})) == {"/spec/containers/0/volumeMounts/2/mountPath"}
}

test_service_ports if {
	found := mg506.deny with input as {
		"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
		"spec": {"ports": [{"name": "http", "port": 80}, {"name": "http", "port": 81}]},
	}
	fixture.pointers(found) == {"/spec/ports/1/name"}
}

test_variables if {
	found := mg506.warn with input as fixture.pod({"containers": [{"name": "a", "env": [{"name": "A"}, {"name": "B"}, {"name": "A"}]}]})
	fixture.pointers(found) == {"/spec/containers/0/env/2/name"}
	count(denied({"containers": [{"name": "a", "env": [{"name": "A"}, {"name": "A"}]}]})) == 0
}

test_unique if {
	count(denied({
		"initContainers": [{"name": "i"}], "containers": [{"name": "a", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
		"volumes": [{"name": "v"}],
	})) == 0
}
