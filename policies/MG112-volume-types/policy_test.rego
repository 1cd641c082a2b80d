package mergegate.policies.mg112_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg112

violating := fixture.deployment({"volumes": [{"name": "share", "nfs": {"server": "10.0.0.1", "path": "/"}}]})

test_nfs if {
	found := mg112.warn with input as violating with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/volumes/0/nfs"}
}

test_host_path_is_left_to_baseline if {
	found := mg112.warn with input as fixture.pod({"volumes": [{"name": "a", "hostPath": {"path": "/"}}]})
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_core_types if {
	found := mg112.warn with input as fixture.pod({"volumes": [{"name": type, type: {}} |
		some type in ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"]
	]})
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_nameless_type if {
	found := mg112.warn with input as fixture.pod({"volumes": [{"name": "default"}]})
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_not_asked_for_elsewhere if {
	every application in [fixture.staging, object.union(fixture.staging, {"environment": ""}), object.union(fixture.staging, {"environment": "pre-prod"})] {
		found := mg112.warn with input as violating with data.mergegate.application as application
		count(found) == 0
	}
}
