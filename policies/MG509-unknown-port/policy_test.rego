package mergegate.policies.mg509_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg509

service(target) := {
	"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
	"spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": target}]},
}

web := fixture.deployment({"containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}]})

ingress(port) := {
	"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"},
	"spec": {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "web", "port": port}}}]}}]},
}

warned(objects) := found if {
	found := mg509.warn with input as fixture.application(objects, [])
}

test_unknown_target if {
	fixture.pointers(warned([service("https"), web])) == {"/spec/ports/0/targetPort"}
}

test_known_target if {
	every target in ["http", 8080, 9999, "8080"] {
		count(warned([service(target), web])) == 0
	}
}

test_sidecar if {
	mesh := fixture.deployment({
		"initContainers": [{"name": "proxy", "restartPolicy": "Always", "ports": [{"name": "https", "containerPort": 8443}]}],
		"containers": [{"name": "web"}],
	})
	count(warned([service("https"), mesh])) == 0
}

test_pods_elsewhere if {
	count(warned([service("https")])) == 0
}

test_ingress if {
	every port in [{"number": 8080}, {"name": "web"}] {
		fixture.pointers(warned([service("http"), web, ingress(port)])) == {"/spec/rules/0/http/paths/0/backend/service/port"}
	}
	every port in [{"number": 80}, {"name": "http"}] {
		count(warned([service("http"), web, ingress(port)])) == 0
	}
}

test_service_elsewhere if {
	count(warned([ingress({"number": 8080})])) == 0
}

test_default_backend if {
	default_only := {
		"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"},
		"spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 1}}}},
	}
	fixture.pointers(warned([service("http"), web, default_only])) == {"/spec/defaultBackend/service/port"}
}
