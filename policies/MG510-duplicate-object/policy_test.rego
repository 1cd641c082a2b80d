package mergegate.policies.mg510_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg510

settings(value) := {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": value}}

test_different if {
	found := mg510.deny with input as fixture.application([settings("1"), settings("2")], [])
	fixture.pointers(found) == {"/metadata/name"}
	warned := mg510.warn with input as fixture.application([settings("1"), settings("2")], [])
	count(warned) == 0
}

test_same if {
	found := mg510.deny with input as fixture.application([settings("1"), settings("1")], [])
	count(found) == 0
	warned := mg510.warn with input as fixture.application([settings("1"), settings("1")], [])
	fixture.pointers(warned) == {"/metadata/name"}
}

test_another_version if {
	found := mg510.deny with input as fixture.application(
		[
			{"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}},
			{"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}},
		],
		[],
	)
	count(found) == 1
}

test_other_objects if {
	other_name := json.patch(settings("1"), [{"op": "replace", "path": "/metadata/name", "value": "other"}])
	other_namespace := json.patch(settings("1"), [{"op": "add", "path": "/metadata/namespace", "value": "other"}])
	other_group := {"apiVersion": "example.com/v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
	every second in [other_name, other_namespace, other_group] {
		found := mg510.deny with input as fixture.application([settings("2"), second], [])
		count(found) == 0
	}
}

test_generated_names if {
	job := {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "run-"}}
	found := mg510.warn with input as fixture.application([job, job], [])
	count(found) == 0
}
