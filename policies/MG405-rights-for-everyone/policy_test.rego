package mergegate.policies.mg405_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg405

binding(name, subjects) := {
	"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "x"},
	"roleRef": {"kind": "ClusterRole", "name": name}, "subjects": subjects,
}

team := {"kind": "Group", "name": "team"}

test_without_logging_in if {
	every name in ["system:unauthenticated", "system:anonymous"] {
		found := mg405.deny with input as fixture.created(binding("view", [team, {"kind": "Group", "name": name}]))
		fixture.pointers(found) == {"/subjects/1"}
	}
}

test_every_pod if {
	every name in ["system:authenticated", "system:serviceaccounts"] {
		after := binding("view", [{"kind": "Group", "name": name}])
		found := mg405.warn with input as fixture.created(after)
		fixture.pointers(found) == {"/subjects/0"}
		denied := mg405.deny with input as fixture.created(after)
		count(denied) == 0
	}
}

test_somebody if {
	every subject in [team, {"kind": "ServiceAccount", "namespace": "shop", "name": "web"}, {"kind": "Group", "name": "system:serviceaccounts:shop"}] {
		found := mg405.deny with input as fixture.created(binding("view", [subject]))
		count(found) == 0
	}
}

test_discovery if {
	found := mg405.deny with input as fixture.created(binding("system:public-info-viewer", [{"kind": "Group", "name": "system:unauthenticated"}]))
	count(found) == 0
}

test_known_to_base if {
	same := binding("view", [{"kind": "Group", "name": "system:unauthenticated"}])
	found := mg405.deny with input as fixture.updated(same, same, [])
	count(found) == 0
}
