# METADATA
# title: Services keep the Pods that they serve
# description: |
#   When the selector of a Service and the labels of Pods no longer meet, the Service has no endpoints, and nothing but the
#   callers notices. Change both together, or neither.
# related_resources:
# - https://kubernetes.io/docs/concepts/services-networking/service/
# custom:
#   id: MG305
#   severity: high
#   mergegate:
#     scope: application
#     kinds: [/Service]
package mergegate.policies.mg305

import data.mergegate.lib.application
import data.mergegate.lib.field
import data.mergegate.lib.workload

deny contains {"field": place(service), "msg": msg, "object": service} if {
	some service in services
	names := lost_by(service)
	count(names) > 0
	not still_serves(service)
	msg := sprintf("Service %s no longer selects the Pods of %s, and none of the application at all: it will have no endpoints", [
		application.name(service),
		concat(", ", sort(names)),
	])
}

warn contains {"field": place(service), "msg": msg, "object": service} if {
	some service in services
	names := lost_by(service)
	count(names) > 0
	still_serves(service)
	msg := sprintf("Service %s no longer selects the Pods of %s", [application.name(service), concat(", ", sort(names))])
}

services := [service |
	some service in application.of_type("/Service")
	application.key(service) in application.base_keys
]

# served are the Services and workloads that met before.
served contains [application.key(service), w.key] if {
	some service in input.base
	workload.type(service) == "/Service"
	some w in application.base_selected(application.namespace(service), service.spec.selector)
}

# serving are those that meet now.
serving contains [application.key(service), w.key] if {
	some service in services
	some w in application.selected(application.namespace(service), service.spec.selector)
}

# lost are those that met, meet no more and are still there.
lost := {pair | some pair in (served - serving); pair[0] in application.keys; pair[1] in application.keys}

# lost_by names the workloads that a Service lost.
lost_by(service) := {sprintf("%s %s", [split(pair[1][0], "/")[1], pair[1][2]]) |
	key := application.key(service)
	some pair in lost
	pair[0] == key
}

still_serves(service) if count(application.selected(application.namespace(service), service.spec.selector)) > 0

place(service) := field.at([], service, ["spec", "selector"])
