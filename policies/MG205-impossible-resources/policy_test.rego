package mergegate.policies.mg205_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg205

with_resources(resources) := fixture.deployment(fixture.container({"resources": resources}))

test_request_above_limit if {
	every pair in [["2Gi", "1Gi"], ["1025Mi", "1Gi"], ["1G", "900M"]] {
		found := mg205.deny with input as with_resources({"requests": {"memory": pair[0]}, "limits": {"memory": pair[1]}})
		fixture.pointers(found) == {"/spec/template/spec/containers/0/resources/requests/memory"}
	}
}

test_cpu_in_both_spellings if {
	found := mg205.deny with input as with_resources({"requests": {"cpu": "1500m"}, "limits": {"cpu": 1}})
	count(found) == 1
	same := mg205.deny with input as with_resources({"requests": {"cpu": "1000m"}, "limits": {"cpu": 1}})
	count(same) == 0
}

test_possible if {
	found := mg205.deny with input as with_resources({
		"requests": {"cpu": "100m", "memory": "64Mi", "example.com/gpu": 1},
		"limits": {"memory": "64Mi"},
	})
	count(found) == 0
}

test_memory_in_thousandths if {
	found := mg205.deny with input as with_resources({"limits": {"memory": "512m"}})
	fixture.pointers(found) == {"/spec/template/spec/containers/0/resources/limits/memory"}
}

test_exact_thousandths_of_an_autoscaler if {
	found := mg205.deny with input as with_resources({"requests": {"memory": "262144000000m"}})
	count(found) == 0
}

test_too_many_cpus if {
	every amount in [500, "500", "100"] {
		found := mg205.warn with input as with_resources({"requests": {"cpu": amount}})
		fixture.pointers(found) == {"/spec/template/spec/containers/0/resources/requests/cpu"}
	}
	found := mg205.warn with input as with_resources({"requests": {"cpu": "500m"}, "limits": {"cpu": 64}})
	count(found) == 0
}

test_no_quantities if {
	found := mg205.deny with input as with_resources({"requests": {"cpu": "${CPU}"}, "limits": {"cpu": "1"}})
	count(found) == 0
}
