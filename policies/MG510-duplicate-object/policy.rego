# METADATA
# title: Each object is there once
# description: |
#   The same object twice in one application: the one that is applied last wins, and the next deployment may apply them in
#   another order.
# related_resources:
# - https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
# custom:
#   id: MG510
#   severity: high
#   mergegate:
#     scope: application
#     kinds: ["*"]
package mergegate.policies.mg510

import data.mergegate.lib.application
import data.mergegate.lib.workload

deny contains {"field": ["metadata", "name"], "msg": msg, "object": pair[0]} if {
	some pair in pairs
	pair[0] != pair[1]
	msg := sprintf("%s is there twice and not the same: remove one", [workload.id(pair[0])])
}

warn contains {"field": ["metadata", "name"], "msg": msg, "object": pair[0]} if {
	some pair in pairs
	pair[0] == pair[1]
	msg := sprintf("%s is there twice: remove one", [workload.id(pair[0])])
}

# pairs are neighbours in the order of the objects, which is that of their identities. A generateName has none.
pairs := [[object_, next] |
	some i, object_ in input.objects
	next := input.objects[i + 1]
	object_.kind == next.kind
	application.name(object_) == application.name(next)
	application.name(object_) != ""
	application.key(object_) == application.key(next)
]
