package mergegate.policies.mg402_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg402

binding(kind, name, subjects) := {
	"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": "x"},
	"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}, "subjects": subjects,
}

account := {"kind": "ServiceAccount", "namespace": "shop", "name": "web"}

team := {"kind": "Group", "name": "team"}

test_new_binding if {
	found := mg402.deny with input as fixture.created(binding("ClusterRoleBinding", "cluster-admin", [account, team]))
	{[fixture.pointer(f.field), f.msg] | some f in found} == {
		["/subjects/0", "ServiceAccount shop/web becomes administrator of the whole cluster: bind a role with the rights that are needed"],
		["/subjects/1", "Group team becomes administrator of the whole cluster: bind a role with the rights that are needed"],
	}
}

test_new_subject if {
	before := binding("ClusterRoleBinding", "cluster-admin", [team])
	after := binding("ClusterRoleBinding", "cluster-admin", [account, team])
	found := mg402.deny with input as fixture.updated(before, after, [])
	fixture.pointers(found) == {"/subjects/0"}
}

test_another_role_before if {
	found := mg402.deny with input as fixture.updated(
		binding("ClusterRoleBinding", "view", [team]),
		binding("ClusterRoleBinding", "cluster-admin", [team]), [],
	)
	fixture.pointers(found) == {"/subjects/0"}
}

test_in_one_namespace if {
	found := mg402.warn with input as fixture.created(binding("RoleBinding", "cluster-admin", [account]))
	fixture.pointers(found) == {"/subjects/0"}
	denied := mg402.deny with input as fixture.created(binding("RoleBinding", "cluster-admin", [account]))
	count(denied) == 0
}

test_other_roles if {
	found := mg402.deny with input as fixture.created(binding("ClusterRoleBinding", "view", [account]))
	count(found) == 0
}

test_fewer_subjects if {
	found := mg402.deny with input as fixture.updated(
		binding("ClusterRoleBinding", "cluster-admin", [account, team]),
		binding("ClusterRoleBinding", "cluster-admin", [team]), [],
	)
	count(found) == 0
}

test_deleted if {
	found := mg402.deny with input as fixture.deleted(binding("ClusterRoleBinding", "cluster-admin", [account]))
	count(found) == 0
}
