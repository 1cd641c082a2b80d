# METADATA
# title: What a Pod refers to
package mergegate.lib.references

import data.mergegate.lib.field

# of gives the objects of its namespace that a Pod needs: kind, name, path of the name, and key where it needs a
# single one. What is marked optional is left out.
of(pod) := ((volumes(pod) | projections(pod)) | environments(pod)) | others(pod)

volumes(pod) := {reference |
	some [i, volume] in field.objects(pod.spec, ["volumes"])
	some source in [
		{"kind": "ConfigMap", "at": ["configMap", "name"]},
		{"kind": "Secret", "at": ["secret", "secretName"]},
		{"kind": "PersistentVolumeClaim", "at": ["persistentVolumeClaim", "claimName"]},
	]
	object.get(volume, [source.at[0], "optional"], false) != true
	name := field.string(volume, source.at)
	base := array.concat(pod.path, ["volumes", i])
	some reference in with_keys(
		{"kind": source.kind, "name": name, "path": array.concat(base, source.at)},
		array.concat(base, [source.at[0]]),
		volume[source.at[0]],
	)
}

projections(pod) := {reference |
	some [i, volume] in field.objects(pod.spec, ["volumes"])
	some [j, source] in field.objects(volume, ["projected", "sources"])
	some field_, kind in {"configMap": "ConfigMap", "secret": "Secret"}
	object.get(source, [field_, "optional"], false) != true
	name := field.string(source, [field_, "name"])
	base := array.concat(pod.path, ["volumes", i, "projected", "sources", j, field_])
	some reference in with_keys({"kind": kind, "name": name, "path": array.concat(base, ["name"])}, base, source[field_])
}

# with_keys adds the references to single keys that the items of a volume's source are.
with_keys(whole, path, source) := {whole} | {reference |
	some [i, item] in field.objects(source, ["items"])
	key := field.string(item, ["key"])
	reference := object.union(whole, {"key": key, "path": array.concat(path, ["items", i, "key"])})
}

environments(pod) := {reference |
	some c in pod.containers
	some [i, variable] in field.objects(c.container, ["env"])
	some field_, kind in {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
	source := variable.valueFrom[field_]
	object.get(source, "optional", false) != true
	base := array.concat(c.path, ["env", i, "valueFrom", field_])
	some reference in key_reference(kind, source, base)
} | {{"kind": kind, "name": name, "path": path} |
	some c in pod.containers
	some [i, source] in field.objects(c.container, ["envFrom"])
	some field_, kind in {"configMapRef": "ConfigMap", "secretRef": "Secret"}
	object.get(source, [field_, "optional"], false) != true
	name := field.string(source, [field_, "name"])
	path := array.concat(c.path, ["envFrom", i, field_, "name"])
}

key_reference(kind, source, base) := {
	{"kind": kind, "name": name, "path": array.concat(base, ["name"])},
	{"kind": kind, "name": name, "key": key, "path": array.concat(base, ["key"])},
} if {
	name := field.string(source, ["name"])
	key := field.string(source, ["key"])
}

others(pod) := {{"kind": "Secret", "name": name, "path": array.concat(pod.path, ["imagePullSecrets", i, "name"])} |
	some [i, secret] in field.objects(pod.spec, ["imagePullSecrets"])
	name := field.string(secret, ["name"])
} | {{"kind": "ServiceAccount", "name": name, "path": array.concat(pod.path, [key])} |
	some key in ["serviceAccountName"]
	name := field.string(pod.spec, [key])
}

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
