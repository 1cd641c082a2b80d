package mergegate.policies.mg302_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg302

object_(version, kind) := {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}

kinds := [
	["v1", "PersistentVolumeClaim"], ["v1", "PersistentVolume"], ["v1", "Namespace"], ["apps/v1", "StatefulSet"],
	["apiextensions.k8s.io/v1", "CustomResourceDefinition"], ["postgresql.cnpg.io/v1", "Cluster"],
]

test_deleted if {
	every pair in kinds {
		found := mg302.deny with input as fixture.deleted(object_(pair[0], pair[1]))
		fixture.pointers(found) == {"/kind"}
	}
}

test_replaced if {
	found := mg302.deny with input as fixture.change(["delete", "create"], object_("v1", "Namespace"), object_("v1", "Namespace"))
	count(found) == 1
}

test_created_and_updated if {
	created := mg302.deny with input as fixture.created(object_("v1", "Namespace"))
	count(created) == 0
	updated := mg302.deny with input as fixture.updated(object_("v1", "Namespace"), object_("v1", "Namespace"), [])
	count(updated) == 0
}

test_kept_in_the_cluster if {
	every annotations in [
		{"argocd.argoproj.io/sync-options": "Prune=false"}, {"argocd.argoproj.io/sync-options": "ServerSideApply=true, Prune=confirm"},
		{"kustomize.toolkit.fluxcd.io/prune": "disabled"}, {"helm.sh/resource-policy": "keep"},
	] {
		kept := json.patch(object_("v1", "PersistentVolumeClaim"), [{"op": "add", "path": "/metadata/annotations", "value": annotations}])
		found := mg302.deny with input as fixture.deleted(kept)
		count(found) == 0
	}
}

test_other_annotations if {
	every annotations in [{"argocd.argoproj.io/sync-options": "Prune=true"}, {"argocd.argoproj.io/sync-options": "Delete=false"}, {"helm.sh/resource-policy": "delete"}, {"argocd.argoproj.io/sync-options": 5}] {
		object__ := json.patch(object_("v1", "PersistentVolumeClaim"), [{"op": "add", "path": "/metadata/annotations", "value": annotations}])
		found := mg302.deny with input as fixture.deleted(object__)
		count(found) == 1
	}
}

test_emptied_statefulset if {
	empty := object.union(object_("apps/v1", "StatefulSet"), {"spec": {"replicas": 0}})
	found := mg302.deny with input as fixture.deleted(empty)
	count(found) == 0
	deleting := object.union(empty, {"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}})
	lost := mg302.deny with input as fixture.deleted(deleting)
	count(lost) == 1
}
