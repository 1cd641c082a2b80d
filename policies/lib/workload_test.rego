package mergegate.lib.workload_test

import data.mergegate.lib.workload

test_every_kind if {
	every type, place in workload.places {
		[group, kind] := split(type, "/")
		version := trim_left(concat("/", [group, "v1"]), "/")
		object_ := {"apiVersion": version, "kind": kind}
		nested := nest(place.spec, {"containers": [{"name": "web"}]})
		pod := workload.pod_of(object.union(object_, nested))
		pod.path == place.spec
		[c.name | some c in pod.containers] == ["web"]
	}
}

nest(path, value) := {path[0]: value} if count(path) == 1

nest(path, value) := {path[0]: {path[1]: value}} if count(path) == 2

nest(path, value) := {path[0]: {path[1]: {path[2]: value}}} if count(path) == 3

nest(path, value) := {path[0]: {path[1]: {path[2]: {path[3]: {path[4]: value}}}}} if count(path) == 5

test_all_containers if {
	pod := workload.pod_of({"apiVersion": "v1", "kind": "Pod", "spec": {
		"containers": [{"name": "a"}, "nonsense", {"image": "b"}],
		"initContainers": [{"name": "i", "restartPolicy": "Always"}, {"name": "j"}],
		"ephemeralContainers": [{"name": "e"}],
	}})
	[c.path | some c in pod.containers] == [
		["spec", "initContainers", 0], ["spec", "initContainers", 1],
		["spec", "containers", 0], ["spec", "containers", 2],
		["spec", "ephemeralContainers", 0],
	]
	{c.name | some c in workload.lasting(pod)} == {"i", "a", "2"}
}

test_no_pod if {
	every object_ in [
		{"apiVersion": "v1", "kind": "Service", "spec": {}}, {"apiVersion": "apps/v1", "kind": "Deployment"},
		{"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": null}}, {"apiVersion": "v1", "kind": "Pod", "spec": []},
		{"apiVersion": "example.com/v1", "kind": "Deployment", "spec": {"template": {"spec": {}}}}, {}, {"kind": 5, "apiVersion": 5},
	] {
		not workload.pod_of(object_)
	}
}

test_labels if {
	workload.labels({"metadata": {"labels": {"a": "b"}}}) == {"a": "b"}
	workload.labels({"metadata": {"labels": null}}) == {}
	workload.labels({"metadata": {}}) == {}
}
