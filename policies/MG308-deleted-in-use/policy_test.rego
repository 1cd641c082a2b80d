package mergegate.policies.mg308_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg308

object_(version, kind, name) := {"apiVersion": version, "kind": kind, "metadata": {"name": name}}

denied(gone, objects) := found if {
	found := mg308.deny with input as object.union(fixture.deleted(gone), {"objects": objects})
}

test_referred_to if {
	user := fixture.deployment({
		"serviceAccountName": "web",
		"volumes": [{"name": "a", "secret": {"secretName": "tls"}}, {"name": "b", "persistentVolumeClaim": {"claimName": "data"}}],
		"containers": [{"name": "web", "envFrom": [{"configMapRef": {"name": "settings"}}]}],
	})
	every pair in [["ConfigMap", "settings"], ["Secret", "tls"], ["PersistentVolumeClaim", "data"], ["ServiceAccount", "web"]] {
		found := denied(object_("v1", pair[0], pair[1]), [user])
		fixture.pointers(found) == {"/metadata/name"}
		count(denied(object_("v1", pair[0], "other"), [user])) == 0
	}
}

test_service_of_an_ingress if {
	ingress := {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"}, "spec": {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]}}
	count(denied(object_("v1", "Service", "web"), [ingress])) == 1
	count(denied(object_("v1", "Service", "api"), [ingress])) == 0
}

test_service_of_a_route if {
	route := {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"}, "spec": {"rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}}
	count(denied(object_("v1", "Service", "web"), [route])) == 1
}

test_optional if {
	user := fixture.deployment({"volumes": [{"name": "a", "secret": {"secretName": "tls", "optional": true}}]})
	count(denied(object_("v1", "Secret", "tls"), [user])) == 0
}

test_other_namespace if {
	user := json.patch(
		fixture.deployment({"volumes": [{"name": "a", "secret": {"secretName": "tls"}}]}),
		[{"op": "add", "path": "/metadata/namespace", "value": "other"}],
	)
	count(denied(object_("v1", "Secret", "tls"), [user])) == 0
}

test_made_otherwise if {
	user := fixture.deployment({"volumes": [{"name": "a", "secret": {"secretName": "tls"}}]})
	every maker in [
		object_("bitnami.com/v1alpha1", "SealedSecret", "tls"),
		object.union(object_("external-secrets.io/v1", "ExternalSecret", "x"), {"spec": {"target": {"name": "tls"}}}),
		object.union(object_("cert-manager.io/v1", "Certificate", "x"), {"spec": {"secretName": "tls"}}),
	] {
		count(denied(object_("v1", "Secret", "tls"), [user, maker])) == 0
	}
}

test_kept if {
	user := fixture.deployment({"volumes": [{"name": "a", "secret": {"secretName": "tls"}}]})
	kept := {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls", "annotations": {"helm.sh/resource-policy": "keep"}}}
	count(denied(kept, [user])) == 0
}
