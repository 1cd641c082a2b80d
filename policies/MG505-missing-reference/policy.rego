# METADATA
# title: References to objects of the application meet them
# description: |
#   A Pod that asks for a key, a ConfigMap, a Secret or a ServiceAccount that is not there does not start. Where the
#   application itself shows what was meant, a miss can be known.
# related_resources:
# - https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/
# custom:
#   id: MG505
#   severity: medium
#   mergegate:
#     scope: application
#     kinds: [/ConfigMap, /Secret, /ServiceAccount]
package mergegate.policies.mg505

import data.mergegate.lib.application
import data.mergegate.lib.references
import data.mergegate.lib.workload

# A key that the object, which is in the application, does not have.
warn contains {"field": r.path, "msg": msg, "object": r.object} if {
	some r in wanted
	r.key
	some store in at([r.kind, r.namespace, r.name])
	count(store.keys) > 0
	not r.key in store.keys
	not filled_otherwise(store)
	msg := sprintf("%s %s of the application has no key %s: the container will not start", [r.kind, r.name, r.key])
}

# A name whose object is there in another Namespace only.
warn contains {"field": r.path, "msg": msg, "object": r.object} if {
	some r in missing
	some store in at([r.kind, r.name])
	not "" in {store.namespace, r.namespace} # not known before the deployment
	msg := sprintf("%s %s is in Namespace %s and the Pod in %s: a Pod finds only what is in its own", [
		r.kind,
		r.name,
		store.namespace,
		r.namespace,
	])
}

# A name whose object is there only with a hash at its end.
warn contains {"field": r.path, "msg": msg, "object": r.object} if {
	some r in missing
	some _ in at([r.kind, r.namespace, r.name, "generated"])
	msg := sprintf("%s %s is not in the application, only one of that name with a generated end: this reference was not rewritten", [
		r.kind,
		r.name,
	])
}

# A ServiceAccount that is not among those of the application.
warn contains {"field": r.path, "msg": msg, "object": r.object} if {
	some r in missing
	r.kind == "ServiceAccount"
	r.name != "default"
	own := {store.name | some store in at(["ServiceAccount", r.namespace])}
	count(own) > 0
	msg := sprintf("ServiceAccount %s is not in the application, which brings %s: without it no Pod is made", [r.name, concat(", ", sort(own))])
}

# wanted are the references of all Pods.
wanted := [object.union(reference, {"namespace": w.namespace, "object": w.object}) |
	some w in application.workloads
	some reference in references.of(w.pod)
]

# missing are those to objects that the application does not have, as a whole.
missing := [r |
	some r in wanted
	not r.key
	not [concat("/", ["", r.kind]), r.namespace, r.name] in application.keys
	not r.name in custom_words
]

# stores are the objects that may be referred to.
stores := [{"kind": object_.kind, "namespace": application.namespace(object_), "name": application.name(object_), "object": object_, "keys": keys} |
	some type in ["/ConfigMap", "/Secret", "/ServiceAccount"]
	some object_ in application.of_type(type)
	keys := {key |
		some part in ["data", "binaryData", "stringData"]
		some key, _ in object_[part]
	}
]

# places are the stores under each of the keys by which they are looked up.
places := [[place, store] |
	some store in stores
	some place in array.concat(
		[[store.kind, store.namespace, store.name], [store.kind, store.name], [store.kind, store.namespace]],
		[[store.kind, store.namespace, stem, "generated"] |
			stem := regex.replace(store.name, `-([2456789bcdfghkmt]{10}|\(hash #[0-9]+\))$`, "")
			stem != store.name
		],
	)
]

by_place := {place: found |
	place := places[_][0]
	found := [store |
		some i
		places[i][0] = place # a unification, which is looked up in an index
		store := places[i][1]
	]
}

at(place) := object.get(by_place, [place], [])

# filled_otherwise says that a controller fills the object in the cluster.
filled_otherwise(store) if {
	some key, _ in application.annotations(store.object)
	not startswith(key, "argocd.argoproj.io/")
	not startswith(key, "config.kubernetes.io/")
	not startswith(key, "kustomize.")
}

filled_otherwise(store) if {
	some key in ["config.openshift.io/inject-trusted-cabundle", "app.kubernetes.io/managed-by"]
	store.object.metadata.labels[key]
}

# custom_words are the texts of the application's custom resources: what one of them names, its controller may make.
custom_words := {word |
	some object_ in input.objects
	contains(workload.group(object_), ".")
	not endswith(workload.group(object_), ".k8s.io")
	not workload.type(object_) in object.keys(workload.places)
	walk([object.get(object_, "spec", null), application.name(object_)], [_, word])
	is_string(word)
}
