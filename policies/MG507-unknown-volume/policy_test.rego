package mergegate.policies.mg507_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg507

denied(spec) := found if {
	found := mg507.deny with input as fixture.deployment(spec)
}

test_unknown if {
	found := denied({"volumes": [{"name": "data"}], "containers": [{"name": "web", "volumeMounts": [
		{"name": "data", "mountPath": "/data"}, {"name": "date", "mountPath": "/date"},
	]}]})
	fixture.pointers(found) == {"/spec/template/spec/containers/0/volumeMounts/1/name"}
}

test_device if {
	found := denied({"containers": [{"name": "web", "volumeDevices": [{"name": "raw", "devicePath": "/dev/x"}]}]})
	fixture.pointers(found) == {"/spec/template/spec/containers/0/volumeDevices/0/name"}
}

test_init_container if {
	found := denied({"initContainers": [{"name": "i", "volumeMounts": [{"name": "x", "mountPath": "/x"}]}]})
	fixture.pointers(found) == {"/spec/template/spec/initContainers/0/volumeMounts/0/name"}
}

test_known if {
	count(denied({"volumes": [{"name": "data"}], "containers": [{"name": "web", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]})) == 0
	count(denied({"containers": [{"name": "web"}]})) == 0
}

test_claim_templates if {
	found := mg507.deny with input as {
		"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
		"spec": {
			"volumeClaimTemplates": [{"metadata": {"name": "data"}}],
			"template": {"spec": {"containers": [{"name": "db", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}},
		},
	}
	count(found) == 0
}
