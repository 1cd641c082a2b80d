package mergegate.policies.mg502_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg502

ingress(name, host, paths) := {
	"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
	"spec": {"ingressClassName": "outer", "rules": [{"host": host, "http": {"paths": paths}}]},
}

path(at, service) := {"path": at, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}}

route(name, host, match, service) := {
	"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name},
	"spec": {"parentRefs": [{"name": "outer"}], "hostnames": [host], "rules": [{"matches": [match], "backendRefs": [{"name": service}]}]},
}

warned(objects) := found if {
	found := mg502.warn with input as fixture.application(objects, [])
}

test_two_ingresses if {
	found := warned([ingress("a", "shop.example.com", [path("/", "a")]), ingress("b", "shop.example.com", [path("/x", "b"), path("/", "b")])])
	{[f.object.metadata.name, fixture.pointer(f.field)] | some f in found} == {["b", "/spec/rules/0/http/paths/1"]}
}

test_within_one if {
	found := warned([ingress("a", "shop.example.com", [path("/", "a"), path("/", "b")])])
	fixture.pointers(found) == {"/spec/rules/0/http/paths/1"}
}

test_different if {
	count(warned([
		ingress("a", "shop.example.com", [path("/", "a")]), ingress("b", "api.example.com", [path("/", "b")]),
		ingress("c", "shop.example.com", [path("/c", "c")]),
	])) == 0
}

test_same_backend if {
	count(warned([ingress("a", "shop.example.com", [path("/", "a")]), ingress("b", "shop.example.com", [path("/", "a")])])) == 0
}

test_another_class if {
	other := json.patch(ingress("b", "shop.example.com", [path("/", "b")]), [{"op": "replace", "path": "/spec/ingressClassName", "value": "inner"}])
	count(warned([ingress("a", "shop.example.com", [path("/", "a")]), other])) == 0
}

test_class_by_annotation if {
	old := {
		"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
		"metadata": {"name": "a", "annotations": {"kubernetes.io/ingress.class": "outer"}},
		"spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [path("/", "a")]}}]},
	}
	count(warned([old, ingress("b", "shop.example.com", [path("/", "b")])])) == 1
}

test_canary if {
	canary := json.patch(
		ingress("b", "shop.example.com", [path("/", "b")]),
		[{"op": "add", "path": "/metadata/annotations", "value": {"nginx.ingress.kubernetes.io/canary": "true"}}],
	)
	count(warned([ingress("a", "shop.example.com", [path("/", "a")]), canary])) == 0
}

test_routes if {
	root := {"path": {"type": "PathPrefix", "value": "/"}}
	found := warned([route("a", "shop.example.com", {}, "a"), route("b", "shop.example.com", root, "b")])
	{[f.object.metadata.name, fixture.pointer(f.field)] | some f in found} == {["b", "/spec/rules/0/matches/0"]}
	by_header := object.union(root, {"headers": [{"name": "x", "value": "1"}]})
	count(warned([route("a", "shop.example.com", root, "a"), route("b", "shop.example.com", by_header, "b")])) == 0
}
