# METADATA
# title: Two routes do not claim the same host and path
# description: |
#   When two Ingresses or HTTPRoutes have the same host and path, the controller picks one, by age or by name. Which one is not
#   said in Git.
# related_resources:
# - https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches
# custom:
#   id: MG502
#   severity: medium
#   mergegate:
#     scope: application
#     kinds: [gateway.networking.k8s.io/HTTPRoute, networking.k8s.io/Ingress]
package mergegate.policies.mg502

import data.mergegate.lib.application
import data.mergegate.lib.field
import data.mergegate.lib.workload

warn contains {"field": claim.field, "msg": msg, "object": claim.object} if {
	some claim in claims
	earlier := [other |
		some other in by_key[claim.key]
		other.order < claim.order
		other.backend != claim.backend
	]
	count(earlier) > 0
	msg := sprintf("%s is claimed by %s as well: only one of them gets the requests", [claim.title, workload.id(earlier[0].object)])
}

claims := array.concat(ingress_claims, route_claims)

by_key := {key: same |
	key := claims[_].key
	same := [claim |
		some i
		claims[i].key = key # a unification, which is looked up in an index
		claim := claims[i]
	]
}

ingress_claims := [claim |
	some n, object_ in application.of_type("networking.k8s.io/Ingress")
	not shared_on_purpose(object_)
	some [i, rule] in field.objects(object_, ["spec", "rules"])
	some [j, path] in field.objects(rule, ["http", "paths"])
	host := object.get(rule, "host", "*")
	at := object.get(path, "path", "/")
	claim := {
		"key": ["Ingress", class(object_), host, at, object.get(path, "pathType", "")],
		"title": sprintf("%v%v", [host, at]),
		"order": [n, i, j],
		"object": object_,
		"backend": [application.namespace(object_), object.get(path, "backend", {})],
		"field": ["spec", "rules", i, "http", "paths", j],
	}
]

class(object_) := name if {
	name := object_.spec.ingressClassName
} else := name if {
	name := application.annotations(object_)["kubernetes.io/ingress.class"]
} else := ""

# shared_on_purpose says that annotations tell the controller how Ingresses of the same path go together.
shared_on_purpose(object_) if {
	some key, _ in application.annotations(object_)
	some word in ["canary", "priority", "conditions", "group.order", "mergeable"]
	contains(key, word)
}

route_claims := [claim |
	some n, object_ in application.of_type("gateway.networking.k8s.io/HTTPRoute")
	some parent in object_.spec.parentRefs
	some host in object.get(object_.spec, "hostnames", ["*"])
	some [i, rule] in field.objects(object_, ["spec", "rules"])
	some j, match in object.get(rule, "matches", [{}])
	claim := {
		"key": ["HTTPRoute", parent_of(object_, parent), host, object.union({"path": {"type": "PathPrefix", "value": "/"}}, match)],
		"title": sprintf("%v%v", [host, object.get(match, ["path", "value"], "/")]),
		"order": [n, i, j],
		"object": object_,
		"backend": [application.namespace(object_), object.get(rule, "backendRefs", []), object.get(rule, "filters", [])],
		"field": field.at([], object_, ["spec", "rules", i, "matches", j]),
	}
]

parent_of(object_, parent) := object.union(parent, {"namespace": object.get(parent, "namespace", application.namespace(object_))})
