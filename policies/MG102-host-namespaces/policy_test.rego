package mergegate.policies.mg102_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg102

test_each_namespace if {
	every name in ["hostNetwork", "hostPID", "hostIPC"] {
		found := mg102.deny with input as fixture.deployment({name: true, "containers": [{"name": "web"}]})
		fixture.pointers(found) == {sprintf("/spec/template/spec/%s", [name])}
	}
}

test_two_at_once if {
	found := mg102.deny with input as fixture.pod({"hostPID": true, "hostIPC": true})
	count(found) == 2
}

test_own_namespaces if {
	every spec in [{}, {"hostNetwork": false}, {"hostPID": null}, {"hostUsers": true}] {
		found := mg102.deny with input as fixture.pod(spec)
		count(found) == 0
	}
}
