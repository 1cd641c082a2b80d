package mergegate.policies.mg113_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg113

namespace(level) := {
	"apiVersion": "v1", "kind": "Namespace",
	"metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": level}},
}

good := fixture.deployment({
	"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
	"containers": [{
		"name": "web",
		"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
	}],
})

found(objects) := result if {
	result := mg113.deny with input as fixture.application(objects, [])
		with data.mergegate.application as fixture.production
}

test_restricted if {
	fixture.pointers(found([namespace("restricted"), fixture.deployment(fixture.container({}))])) == {"/spec/template/spec/containers/0"}
	count(found([namespace("restricted"), fixture.deployment(fixture.container({}))])) == 4
	count(found([namespace("restricted"), good])) == 0
}

test_baseline if {
	count(found([namespace("baseline"), fixture.deployment(fixture.container({}))])) == 0
	bad := fixture.deployment({"hostNetwork": true, "containers": [{"name": "web"}]})
	fixture.pointers(found([namespace("baseline"), bad])) == {"/spec/template/spec/hostNetwork"}
}

test_privileged_and_unlabelled if {
	bad := fixture.deployment({"hostNetwork": true})
	count(found([namespace("privileged"), bad])) == 0
	count(found([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, bad])) == 0
	count(found([bad])) == 0
}

test_only_its_own_namespace if {
	other := json.patch(fixture.deployment({"hostNetwork": true}), [{"op": "add", "path": "/metadata/namespace", "value": "other"}])
	count(found([namespace("baseline"), other])) == 0
	own := json.patch(fixture.deployment({"hostNetwork": true}), [{"op": "add", "path": "/metadata/namespace", "value": "shop"}])
	count(found([namespace("baseline"), own])) == 1
}
