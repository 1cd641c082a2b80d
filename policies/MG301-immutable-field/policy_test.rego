package mergegate.policies.mg301_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg301

object_(version, kind, rest) := object.union({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}, rest)

denied(version, kind, before, after, fields) := found if {
	found := mg301.deny with input as fixture.updated(object_(version, kind, before), object_(version, kind, after), fields)
}

test_deployment_selector if {
	found := denied(
		"apps/v1", "Deployment",
		{"spec": {"selector": {"matchLabels": {"app": "a"}}}}, {"spec": {"selector": {"matchLabels": {"app": "b"}}}},
		["/spec/selector/matchLabels/app"],
	)
	fixture.pointers(found) == {"/spec/selector/matchLabels/app"}
}

test_one_finding_for_several_labels if {
	found := denied(
		"apps/v1", "Deployment",
		{"spec": {"selector": {"matchLabels": {"app": "a", "x": "1"}}}}, {"spec": {"selector": {"matchLabels": {"app": "b", "x": "2"}}}},
		["/spec/selector/matchLabels/app", "/spec/selector/matchLabels/x"],
	)
	fixture.pointers(found) == {"/spec/selector"}
}

test_removed_label_stands_at_its_parent if {
	found := denied(
		"apps/v1", "Deployment",
		{"spec": {"selector": {"matchLabels": {"app": "a", "x": "1"}}}}, {"spec": {"selector": {"matchLabels": {"app": "a"}}}},
		["/spec/selector/matchLabels/x"],
	)
	fixture.pointers(found) == {"/spec/selector/matchLabels"}
}

test_deployment_template_may_change if {
	count(denied("apps/v1", "Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, ["/spec/replicas"])) == 0
}

test_statefulset if {
	every key in ["serviceName", "volumeClaimTemplates", "selector", "podManagementPolicy"] {
		found := denied("apps/v1", "StatefulSet", {"spec": {key: "a"}}, {"spec": {key: "b"}}, [sprintf("/spec/%s", [key])])
		fixture.pointers(found) == {sprintf("/spec/%s", [key])}
	}
	every key in ["replicas", "template", "updateStrategy", "ordinals", "revisionHistoryLimit"] {
		count(denied("apps/v1", "StatefulSet", {"spec": {key: "a"}}, {"spec": {key: "b"}}, [sprintf("/spec/%s", [key])])) == 0
	}
}

running(image) := {"spec": {"template": {"spec": {"containers": [{"name": "x", "image": image}]}}}}

test_job if {
	path := "/spec/template/spec/containers/0/image"
	fixture.pointers(denied("batch/v1", "Job", running("a"), running("b"), [path])) == {path}
	suspended := object.union(running("a"), {"spec": {"suspend": true}})
	count(denied("batch/v1", "Job", suspended, running("b"), [path])) == 0
	count(denied("batch/v1", "CronJob", running("a"), running("b"), [path])) == 0
}

test_replaced_by_what_deploys if {
	every annotations in [
		{"argocd.argoproj.io/sync-options": "Force=true, Replace=true"}, {"kustomize.toolkit.fluxcd.io/force": "Enabled"},
		{"argocd.argoproj.io/hook": "PreSync"}, {"helm.sh/hook": "pre-upgrade"},
	] {
		before := object_("apps/v1", "StatefulSet", {"spec": {"serviceName": "a"}})
		after := json.patch(
			object_("apps/v1", "StatefulSet", {"spec": {"serviceName": "b"}}),
			[{"op": "add", "path": "/metadata/annotations", "value": annotations}],
		)
		found := mg301.deny with input as fixture.updated(before, after, ["/spec/serviceName"])
		count(found) == 0
		warned := mg301.warn with input as fixture.updated(before, after, ["/spec/serviceName"])
		fixture.pointers(warned) == {"/spec/serviceName"}
	}
}

test_job_that_is_replaced if {
	before := object_("batch/v1", "Job", {"spec": {"template": {"a": 1}}})
	after := {
		"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"a": 2}},
		"metadata": {"name": "x", "annotations": {"argocd.argoproj.io/hook": "PreSync"}},
	}
	warned := mg301.warn with input as fixture.updated(before, after, ["/spec/template/a"])
	count(warned) == 0
}

test_service_address if {
	fixture.pointers(denied("v1", "Service", {"spec": {}}, {"spec": {"clusterIP": "None"}}, ["/spec/clusterIP"])) == {"/spec/clusterIP"}
	count(denied("v1", "Service", {"spec": {"clusterIP": "10.0.0.1"}}, {"spec": {"clusterIP": "10.0.0.2"}}, ["/spec/clusterIP"])) == 1
	count(denied("v1", "Service", {"spec": {"clusterIP": "10.0.0.1"}}, {"spec": {}}, ["/spec/clusterIP"])) == 0
	count(denied(
		"v1", "Service",
		{"spec": {"type": "ExternalName"}}, {"spec": {"type": "ClusterIP", "clusterIP": "None"}},
		["/spec/clusterIP", "/spec/type"],
	)) == 0
	count(denied("v1", "Service", {"spec": {"selector": {"a": "b"}}}, {"spec": {"selector": {"a": "c"}}}, ["/spec/selector/a"])) == 0
}

balancer(class) := {"spec": {"type": "LoadBalancer", "loadBalancerClass": class}}

test_load_balancer_class if {
	count(denied("v1", "Service", balancer("a"), balancer("b"), ["/spec/loadBalancerClass"])) == 1
	count(denied("v1", "Service", balancer("a"), {"spec": {"type": "ClusterIP"}}, ["/spec/loadBalancerClass", "/spec/type"])) == 0
}

claim(size, class) := {"spec": {"storageClassName": class, "resources": {"requests": {"storage": size}}}}

test_claim if {
	fixture.pointers(denied("v1", "PersistentVolumeClaim", claim("1Gi", "a"), claim("1Gi", "b"), ["/spec/storageClassName"])) == {"/spec/storageClassName"}
	path := "/spec/resources/requests/storage"
	fixture.pointers(denied("v1", "PersistentVolumeClaim", claim("2Gi", "a"), claim("1Gi", "a"), [path])) == {path}
	count(denied("v1", "PersistentVolumeClaim", claim("1Gi", "a"), claim("1024Mi", "a"), [path])) == 0
	count(denied("v1", "PersistentVolumeClaim", claim("1Gi", "a"), claim("2Gi", "a"), [path])) == 0
}

test_role_reference if {
	every kind in ["RoleBinding", "ClusterRoleBinding"] {
		found := denied("rbac.authorization.k8s.io/v1", kind, {"roleRef": {"name": "a"}}, {"roleRef": {"name": "b"}}, ["/roleRef/name"])
		fixture.pointers(found) == {"/roleRef/name"}
	}
}

test_immutable_config_map if {
	frozen := {"immutable": true, "data": {"a": "1"}}
	fixture.pointers(denied("v1", "ConfigMap", frozen, {"immutable": true, "data": {"a": "2"}}, ["/data/a"])) == {"/data/a"}
	count(denied("v1", "ConfigMap", {"data": {"a": "1"}}, {"data": {"a": "2"}}, ["/data/a"])) == 0
	count(denied("v1", "ConfigMap", {"data": {"a": "1"}}, frozen, ["/immutable"])) == 0
}

test_generated_names if {
	before := {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings-1"}, "immutable": true, "data": {"a": "1"}}
	after := {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings-2"}, "immutable": true, "data": {"a": "2"}}
	found := mg301.deny with input as fixture.updated(before, after, ["/data/a"])
	count(found) == 0
}

test_only_updates if {
	found := mg301.deny with input as fixture.created(object_("apps/v1", "Deployment", {"spec": {"selector": {}}}))
	count(found) == 0
	gone := mg301.deny with input as fixture.deleted(object_("apps/v1", "Deployment", {"spec": {"selector": {}}}))
	count(gone) == 0
}
