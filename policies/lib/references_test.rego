package mergegate.lib.references_test

import data.mergegate.lib.fixture
import data.mergegate.lib.references
import data.mergegate.lib.workload

of(spec) := references.of(workload.pod_of(fixture.pod(spec)))

test_volumes if {
	found := of({"volumes": [
		{"name": "a", "configMap": {"name": "settings", "items": [{"key": "k", "path": "p"}]}},
		{"name": "b", "secret": {"secretName": "tls"}},
		{"name": "c", "persistentVolumeClaim": {"claimName": "data"}},
		{"name": "d", "secret": {"secretName": "perhaps", "optional": true}},
		{"name": "e", "emptyDir": {}},
		{"name": "f", "projected": {"sources": [{"secret": {"name": "token"}}, {"downwardAPI": {}}]}},
	]})
	found == {
		{"kind": "ConfigMap", "name": "settings", "path": ["spec", "volumes", 0, "configMap", "name"]},
		{"kind": "ConfigMap", "name": "settings", "key": "k", "path": ["spec", "volumes", 0, "configMap", "items", 0, "key"]},
		{"kind": "Secret", "name": "tls", "path": ["spec", "volumes", 1, "secret", "secretName"]},
		{"kind": "PersistentVolumeClaim", "name": "data", "path": ["spec", "volumes", 2, "persistentVolumeClaim", "claimName"]},
		{"kind": "Secret", "name": "token", "path": ["spec", "volumes", 5, "projected", "sources", 0, "secret", "name"]},
	}
}

test_environment if {
	found := of({"containers": [{
		"name": "web",
		"envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "perhaps", "optional": true}}],
		"env": [
			{"name": "A", "value": "1"},
			{"name": "B", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}},
			{"name": "C", "valueFrom": {"configMapKeyRef": {"name": "perhaps", "key": "x", "optional": true}}},
			{"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
		],
	}]})
	found == {
		{"kind": "ConfigMap", "name": "settings", "path": ["spec", "containers", 0, "envFrom", 0, "configMapRef", "name"]},
		{"kind": "Secret", "name": "db", "path": ["spec", "containers", 0, "env", 1, "valueFrom", "secretKeyRef", "name"]},
		{"kind": "Secret", "name": "db", "key": "password", "path": ["spec", "containers", 0, "env", 1, "valueFrom", "secretKeyRef", "key"]},
	}
}

test_others if {
	found := of({"serviceAccountName": "web", "imagePullSecrets": [{"name": "registry"}]})
	found == {
		{"kind": "ServiceAccount", "name": "web", "path": ["spec", "serviceAccountName"]},
		{"kind": "Secret", "name": "registry", "path": ["spec", "imagePullSecrets", 0, "name"]},
	}
}

test_nothing if {
	of({}) == set()
	of({"volumes": "x", "containers": [{"env": {}, "envFrom": [null]}]}) == set()
}

test_services if {
	references.services({"kind": "Ingress", "spec": {
		"defaultBackend": {"service": {"name": "a"}},
		"rules": [{"http": {"paths": [{"backend": {"service": {"name": "b"}}}, {"backend": {"resource": {"name": "c"}}}]}}, {"host": "x"}],
	}}) == {
		["a", ["spec", "defaultBackend", "service", "name"]],
		["b", ["spec", "rules", 0, "http", "paths", 0, "backend", "service", "name"]],
	}
	references.services({"kind": "HTTPRoute", "spec": {"rules": [{"backendRefs": [
		{"name": "a"}, {"name": "b", "kind": "Bucket"}, {"name": "c", "namespace": "other"},
	]}]}}) == {["a", ["spec", "rules", 0, "backendRefs", 0, "name"]]}
	references.services({"kind": "StatefulSet", "spec": {"serviceName": "db"}}) == {["db", ["spec", "serviceName"]]}
	references.services({"kind": "Deployment", "spec": {"serviceName": "db"}}) == set()
}
