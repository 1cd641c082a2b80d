# METADATA
# title: What a Pod refers to
package mergegate.lib.references

import data.mergegate.lib.field

# of gives the objects of its namespace that a Pod needs: kind, name, path of the name, and key where it needs a
# single one. What is marked optional is left out.
of(pod) := union({volumes(pod), projections(pod), variables(pod), environments(pod), others(pod)})

volume_sources := {
	"configMap": {"kind": "ConfigMap", "name": "name"},
	"secret": {"kind": "Secret", "name": "secretName"},
	"persistentVolumeClaim": {"kind": "PersistentVolumeClaim", "name": "claimName"},
}

volumes(pod) := {reference |
	some i, volume in pod.spec.volumes
	some type, how in volume_sources
	source := volume[type]
	named(source[how.name])
	required(source)
	base := array.concat(pod.path, ["volumes", i, type])
	whole := {"kind": how.kind, "name": source[how.name], "path": array.concat(base, [how.name])}
	some reference in with_keys(whole, base, source)
}

config_sources := {"configMap": "ConfigMap", "secret": "Secret"}

projections(pod) := {reference |
	some i, volume in pod.spec.volumes
	some j, projected in volume.projected.sources
	some type, kind in config_sources
	source := projected[type]
	named(source.name)
	required(source)
	base := array.concat(pod.path, ["volumes", i, "projected", "sources", j, type])
	whole := {"kind": kind, "name": source.name, "path": array.concat(base, ["name"])}
	some reference in with_keys(whole, base, source)
}

# with_keys adds the references to single keys that the items of a volume's source are.
with_keys(whole, path, source) := {whole} | {reference |
	some i, item in source.items
	named(item.key)
	reference := object.union(whole, {"key": item.key, "path": array.concat(path, ["items", i, "key"])})
}

variable_sources := {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}

variables(pod) := {reference |
	some c in pod.containers
	some i, variable in c.container.env
	some type, kind in variable_sources
	source := variable.valueFrom[type]
	named(source.name)
	named(source.key)
	required(source)
	base := array.concat(c.path, ["env", i, "valueFrom", type])
	some reference in [
		{"kind": kind, "name": source.name, "path": array.concat(base, ["name"])},
		{"kind": kind, "name": source.name, "key": source.key, "path": array.concat(base, ["key"])},
	]
}

environment_sources := {"configMapRef": "ConfigMap", "secretRef": "Secret"}

environments(pod) := {{"kind": kind, "name": source.name, "path": array.concat(c.path, ["envFrom", i, type, "name"])} |
	some c in pod.containers
	some i, from in c.container.envFrom
	some type, kind in environment_sources
	source := from[type]
	named(source.name)
	required(source)
}

others(pod) := {{"kind": "Secret", "name": secret.name, "path": array.concat(pod.path, ["imagePullSecrets", i, "name"])} |
	some i, secret in pod.spec.imagePullSecrets
	named(secret.name)
} | {{"kind": "ServiceAccount", "name": name, "path": array.concat(pod.path, ["serviceAccountName"])} |
	name := pod.spec.serviceAccountName
	named(name)
}

named(text) if {
	is_string(text)
	text != ""
}

required(source) if not source.optional

# services are the Services of its namespace that an object names, each with the path of the name.
services(object_) := {[name, path] |
	object_.kind in {"Ingress", "HTTPRoute", "GRPCRoute", "StatefulSet"}
	some path in service_paths(object_)
	name := field.string(object_, path)
}

service_paths(object_) := (({path |
	object_.kind == "Ingress"
	some [i, rule] in field.objects(object_, ["spec", "rules"])
	some [j, _] in field.objects(rule, ["http", "paths"])
	path := ["spec", "rules", i, "http", "paths", j, "backend", "service", "name"]
} | {["spec", "defaultBackend", "service", "name"] | object_.kind == "Ingress"}) | {path |
	object_.kind in {"HTTPRoute", "GRPCRoute"}
	some [i, rule] in field.objects(object_, ["spec", "rules"])
	some [j, backend] in field.objects(rule, ["backendRefs"])
	object.get(backend, "kind", "Service") == "Service"
	not "namespace" in object.keys(backend)
	path := ["spec", "rules", i, "backendRefs", j, "name"]
}) | {["spec", "serviceName"] | object_.kind == "StatefulSet"}
