package mergegate.policies.mg203_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg203

with_resources(resources) := fixture.deployment(fixture.container({"resources": resources}))

test_nothing_requested if {
	found := mg203.warn with input as with_resources({}) with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/containers/0/resources"}
}

test_no_resources_at_all if {
	found := mg203.warn with input as fixture.deployment(fixture.container({})) with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/template/spec/containers/0"}
}

test_one_of_two if {
	found := mg203.warn with input as with_resources({"requests": {"cpu": "100m"}}) with data.mergegate.application as fixture.production
	{[fixture.pointer(f.field), f.msg] | some f in found} == {[
		"/spec/template/spec/containers/0/resources/requests",
		"container web requests no memory: set resources.requests",
	]}
}

test_requested if {
	every resources in [
		{"requests": {"cpu": "100m", "memory": "64Mi"}},
		{"limits": {"cpu": "100m", "memory": "64Mi"}},
		{"requests": {"cpu": 1}, "limits": {"memory": "64Mi"}},
	] {
		found := mg203.warn with input as with_resources(resources) with data.mergegate.application as fixture.production
		count(found) == 0
	}
}

test_for_the_whole_pod if {
	found := mg203.warn with input as fixture.pod(object.union(
		{"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}},
		fixture.container({}),
	))
		with data.mergegate.application as fixture.production
	count(found) == 0
}

test_init_containers_only_where_they_stay if {
	found := mg203.warn with input as fixture.pod({"initContainers": [{"name": "migrate"}, {"name": "proxy", "restartPolicy": "Always"}]})
		with data.mergegate.application as fixture.production
	fixture.pointers(found) == {"/spec/initContainers/1"}
}

test_not_asked_for_elsewhere if {
	found := mg203.warn with input as with_resources({}) with data.mergegate.application as fixture.staging
	count(found) == 0
}
