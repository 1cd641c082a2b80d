package mergegate.policies.mg505_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg505

settings := {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"level": "info"}}

from_key(name, key) := fixture.deployment({"containers": [{"name": "web", "env": [
	{"name": "A", "valueFrom": {"configMapKeyRef": {"name": name, "key": key}}},
]}]})

from_all(name) := fixture.deployment({"containers": [{"name": "web", "envFrom": [{"configMapRef": {"name": name}}]}]})

warned(objects) := found if {
	found := mg505.warn with input as fixture.application(objects, []) with data.mergegate.application as fixture.production
}

at_key := "/spec/template/spec/containers/0/env/0/valueFrom/configMapKeyRef/key"

at_name := "/spec/template/spec/containers/0/envFrom/0/configMapRef/name"

test_key_missing if {
	fixture.pointers(warned([settings, from_key("settings", "lvl")])) == {at_key}
	count(warned([settings, from_key("settings", "level")])) == 0
}

test_key_of_a_secret if {
	secret := {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": "(secret #0001)"}}
	user := fixture.deployment({"containers": [{"name": "web", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": "pass"}}}]}]})
	count(warned([secret, user])) == 1
}

test_empty_ones_are_filled_in_the_cluster if {
	empty := {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
	count(warned([empty, from_key("settings", "ca.crt")])) == 0
	labelled := json.patch(settings, [{"op": "add", "path": "/metadata/labels", "value": {"config.openshift.io/inject-trusted-cabundle": "true"}}])
	count(warned([labelled, from_key("settings", "ca.crt")])) == 0
}

test_unknown_objects_are_not_guessed_at if {
	count(warned([settings, from_all("other")])) == 0
	count(warned([from_all("settings")])) == 0
}

test_in_another_namespace if {
	far := json.patch(settings, [{"op": "add", "path": "/metadata/namespace", "value": "other"}])
	fixture.pointers(warned([far, from_all("settings")])) == {at_name}
	both := [far, settings, from_all("settings")]
	count(warned(both)) == 0
}

test_namespace_that_is_not_known if {
	far := json.patch(settings, [{"op": "add", "path": "/metadata/namespace", "value": "other"}])
	found := mg505.warn with input as fixture.application([far, from_all("settings")], [])
	count(found) == 0
}

test_generated_name if {
	generated := json.patch(settings, [{"op": "replace", "path": "/metadata/name", "value": "settings-4f2k8m9b5t"}])
	fixture.pointers(warned([generated, from_all("settings")])) == {at_name}
	count(warned([generated, from_all("settings-4f2k8m9b5t")])) == 0
	other := json.patch(settings, [{"op": "replace", "path": "/metadata/name", "value": "settings-production"}])
	count(warned([other, from_all("settings")])) == 0
}

test_masked_generated_name if {
	secret := {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db-(hash #0001)"}}
	user := fixture.deployment({"imagePullSecrets": [{"name": "db"}]})
	fixture.pointers(warned([secret, user])) == {"/spec/template/spec/imagePullSecrets/0/name"}
}

test_service_account if {
	account := {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "web"}}
	fixture.pointers(warned([account, fixture.deployment({"serviceAccountName": "wbe"})])) == {"/spec/template/spec/serviceAccountName"}
	count(warned([account, fixture.deployment({"serviceAccountName": "web"})])) == 0
	count(warned([account, fixture.deployment({"serviceAccountName": "default"})])) == 0
	count(warned([settings, fixture.deployment({"serviceAccountName": "wbe"})])) == 0
}

test_made_by_a_custom_resource if {
	generated := {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db-4f2k8m9b5t"}}
	user := fixture.deployment({"imagePullSecrets": [{"name": "db"}]})
	external := {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "x"}, "spec": {"target": {"name": "db"}}}
	count(warned([generated, user, external])) == 0
}

test_optional if {
	user := fixture.deployment({"containers": [{"name": "web", "env": [
		{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "x", "optional": true}}},
	]}]})
	count(warned([settings, user])) == 0
}
