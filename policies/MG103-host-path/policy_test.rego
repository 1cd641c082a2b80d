package mergegate.policies.mg103_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg103

test_host_path if {
	found := mg103.deny with input as fixture.deployment({"volumes": [
		{"name": "tmp", "emptyDir": {}},
		{"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}},
	]})
	fixture.pointers(found) == {"/spec/template/spec/volumes/1/hostPath"}
	some result in found
	contains(result.msg, "/var/run/docker.sock")
}

test_read_only_is_no_excuse if {
	found := mg103.deny with input as fixture.pod({
		"volumes": [{"name": "etc", "hostPath": {"path": "/etc", "type": "Directory"}}],
		"containers": [{"name": "web", "volumeMounts": [{"name": "etc", "mountPath": "/host", "readOnly": true}]}],
	})
	count(found) == 1
}

test_other_volumes if {
	found := mg103.deny with input as fixture.pod({"volumes": [
		{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "b"}},
		{"name": "c", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "d", "hostPath": null},
	]})
	count(found) == 0
}

test_no_volumes if {
	found := mg103.deny with input as fixture.pod({"volumes": null})
	count(found) == 0
}
