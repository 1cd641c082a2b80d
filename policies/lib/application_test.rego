package mergegate.lib.application_test

import data.mergegate.lib.application
import data.mergegate.lib.fixture

named(name, labels) := {
	"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
	"spec": {"template": {"metadata": {"labels": labels}, "spec": {}}},
}

both := [named("a", {"app": "web", "tier": "front"}), named("b", {"app": "web"})]

names(workloads) := {w.object.metadata.name | some w in workloads}

test_selected if {
	names(application.selected("", {"app": "web"})) == {"a", "b"} with input as fixture.application(both, [])
	names(application.selected("", {"app": "web", "tier": "front"})) == {"a"} with input as fixture.application(both, [])
	names(application.selected("", {"app": "api"})) == set() with input as fixture.application(both, [])
	names(application.selected("", {})) == set() with input as fixture.application(both, [])
	names(application.selected("", null)) == set() with input as fixture.application(both, [])
	names(application.selected("other", {"app": "web"})) == set() with input as fixture.application(both, [])
	names(application.base_selected("", {"app": "web"})) == {"b"} with input as fixture.application(both, [both[1]])
}

test_namespace if {
	application.namespace({"metadata": {"namespace": "a"}}) == "a" with data.mergegate.application as fixture.production
	application.namespace({"metadata": {}}) == "shop" with data.mergegate.application as fixture.production
	application.namespace({"metadata": {"namespace": ""}}) == "shop" with data.mergegate.application as fixture.production
	application.namespace({}) == ""
}

test_kept_and_replaced if {
	application.kept({"metadata": {"annotations": {"argocd.argoproj.io/sync-options": "A=b, Prune=false"}}})
	not application.kept({"metadata": {"annotations": {"argocd.argoproj.io/sync-options": "Prune=true"}}})
	not application.kept({"metadata": {"annotations": null}})
	not application.kept({})
	application.replaced({"metadata": {"annotations": {"helm.sh/hook": "pre-install"}}})
	not application.replaced({"metadata": {"annotations": {"kustomize.toolkit.fluxcd.io/force": "Disabled"}}})
}

test_scaled if {
	scaler := {
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "x"},
		"spec": {"scaleTargetRef": {"name": "a"}},
	}
	application.scaled(both[0]) with input as fixture.application(array.concat(both, [scaler]), [])
	not application.scaled(both[1]) with input as fixture.application(array.concat(both, [scaler]), [])
}
