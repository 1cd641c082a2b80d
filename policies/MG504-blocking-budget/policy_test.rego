package mergegate.policies.mg504_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg504

budget(rest) := {
	"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"},
	"spec": object.union({"selector": {"matchLabels": {"app": "web"}}}, rest),
}

web(n) := json.patch(fixture.deployment({"containers": []}), [{"op": "add", "path": "/spec/replicas", "value": n}])

warned(objects) := found if {
	found := mg504.warn with input as fixture.application(objects, [])
}

test_blocking if {
	every pair in [
		["maxUnavailable", 0], ["maxUnavailable", "0%"], ["minAvailable", "100%"], ["minAvailable", 3], ["minAvailable", 5], ["minAvailable", "80%"],
	] {
		fixture.pointers(warned([budget({pair[0]: pair[1]}), web(3)])) == {sprintf("/spec/%s", [pair[0]])}
	}
}

test_not_blocking if {
	every pair in [
		["maxUnavailable", 1], ["maxUnavailable", "10%"], ["minAvailable", 2], ["minAvailable", "50%"], ["minAvailable", 0],
	] {
		count(warned([budget({pair[0]: pair[1]}), web(3)])) == 0
	}
}

test_one_replica if {
	count(warned([budget({"minAvailable": 1}), fixture.deployment({"containers": []})])) == 1
	count(warned([budget({"minAvailable": 1}), web(2)])) == 0
}

test_no_replicas if {
	count(warned([budget({"minAvailable": 1}), web(0)])) == 0
	count(warned([budget({"minAvailable": 1})])) == 0
}

test_autoscaled if {
	scaler := {
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
		"spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 2, "maxReplicas": 9},
	}
	count(warned([budget({"minAvailable": 1}), fixture.deployment({"containers": []}), scaler])) == 0
	count(warned([budget({"minAvailable": 2}), fixture.deployment({"containers": []}), scaler])) == 1
}

test_other_pods if {
	count(warned([budget({"minAvailable": 1}), json.patch(web(1), [{"op": "replace", "path": "/spec/template/metadata/labels/app", "value": "api"}])])) == 0
}
