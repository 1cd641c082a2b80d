package mergegate.policies.mg303_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg303

scaled_to(n) := {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": n}}

unset := {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {}}

denied(before, after) := found if {
	found := mg303.deny with input as fixture.updated(before, after, ["/spec/replicas"]) with data.mergegate.application as fixture.production
}

warned(before, after) := found if {
	found := mg303.warn with input as fixture.updated(before, after, ["/spec/replicas"]) with data.mergegate.application as fixture.production
}

test_to_zero if {
	fixture.pointers(denied(scaled_to(3), scaled_to(0))) == {"/spec/replicas"}
	count(denied(unset, scaled_to(0))) == 1
	count(warned(scaled_to(3), scaled_to(0))) == 0
}

test_less_than_half if {
	fixture.pointers(warned(scaled_to(5), scaled_to(2))) == {"/spec/replicas"}
	fixture.pointers(warned(scaled_to(5), unset)) == {"/spec"}
	count(denied(scaled_to(5), scaled_to(2))) == 0
}

test_half_and_more if {
	every pair in [[4, 2], [3, 2], [2, 1], [1, 3], [0, 0], [0, 3]] {
		count(warned(scaled_to(pair[0]), scaled_to(pair[1]))) == 0
		count(denied(scaled_to(pair[0]), scaled_to(pair[1]))) == 0
	}
}

test_an_autoscaler_takes_over if {
	scaler := {
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
		"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
	}
	change := object.union(fixture.updated(scaled_to(5), unset, ["/spec/replicas"]), {"objects": [unset, scaler]})
	found := mg303.warn with input as change with data.mergegate.application as fixture.production
	count(found) == 0
}

test_elsewhere if {
	found := mg303.deny with input as fixture.updated(scaled_to(3), scaled_to(0), ["/spec/replicas"]) with data.mergegate.application as fixture.staging
	count(found) == 0
}

test_created_and_deleted if {
	created := mg303.deny with input as fixture.created(scaled_to(0)) with data.mergegate.application as fixture.production
	count(created) == 0
	deleted := mg303.deny with input as fixture.deleted(scaled_to(3)) with data.mergegate.application as fixture.production
	count(deleted) == 0
}
