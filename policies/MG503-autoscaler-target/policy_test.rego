package mergegate.policies.mg503_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg503

scaler(name, limits) := {
	"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
	"spec": object.union({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}}, limits),
}

web := fixture.deployment({"containers": []})

fixed := json.patch(web, [{"op": "add", "path": "/spec/replicas", "value": 3}])

warned(objects) := found if {
	found := mg503.warn with input as fixture.application(objects, [])
}

test_no_target if {
	fixture.pointers(warned([scaler("wbe", {}), web])) == {"/spec/scaleTargetRef/name"}
}

test_target if {
	count(warned([scaler("web", {}), web])) == 0
}

test_fixed_replicas if {
	found := warned([scaler("web", {}), fixed])
	{[f.object.kind, fixture.pointer(f.field)] | some f in found} == {["Deployment", "/spec/replicas"]}
}

test_keda if {
	scaled := {
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "web"},
		"spec": {"scaleTargetRef": {"name": "web"}},
	}
	count(warned([scaled, web])) == 0
	count(warned([scaled, fixed])) == 1
}

test_target_of_another_kind if {
	custom := {
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
		"spec": {"scaleTargetRef": {"apiVersion": "example.com/v1", "kind": "Shop", "name": "shop"}},
	}
	count(warned([custom, web])) == 0
}

test_target_elsewhere if {
	count(warned([scaler("web", {})])) == 0
}

test_impossible_limits if {
	found := mg503.deny with input as fixture.application([scaler("web", {"minReplicas": 5, "maxReplicas": 3}), web], [])
	fixture.pointers(found) == {"/spec/maxReplicas"}
	fine := mg503.deny with input as fixture.application([scaler("web", {"minReplicas": 3, "maxReplicas": 3}), web], [])
	count(fine) == 0
}
