# METADATA
# title: Services and Ingresses name ports that exist
# description: |
#   A targetPort by name that no container has, or a port of an Ingress that its Service does not have, leads nowhere.
# related_resources:
# - https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports
# custom:
#   id: MG509
#   severity: medium
#   mergegate:
#     scope: application
#     kinds: [/Service, networking.k8s.io/Ingress]
package mergegate.policies.mg509

import data.mergegate.lib.application
import data.mergegate.lib.field
import data.mergegate.lib.workload

warn contains {"field": ["spec", "ports", i, "targetPort"], "msg": msg, "object": service} if {
	some service in services
	some [i, port] in field.objects(service, ["spec", "ports"])
	name := field.string(port, ["targetPort"])
	not regex.match(`^[0-9]+$`, name)
	served := application.selected(application.namespace(service), service.spec.selector)
	count(served) > 0
	not name in {found | some w in served; some found in port_names(w.pod)}
	msg := sprintf("no container of the Pods that Service %s selects has a port called %s", [application.name(service), name])
}

warn contains {"field": array.concat(path, ["service", "port"]), "msg": msg, "object": ingress} if {
	some ingress in application.of_type("networking.k8s.io/Ingress")
	some path in backends(ingress)
	backend := object.get(ingress, array.concat(path, ["service"]), null)
	some service in object.get(named, [["/Service", application.namespace(ingress), backend.name]], [])
	count(field.objects(service, ["spec", "ports"])) > 0
	is_object(backend.port)
	not has_port(service, backend.port)
	msg := sprintf("Service %s has no port %v", [backend.name, object.get(backend.port, "name", object.get(backend.port, "number", ""))])
}

services := application.of_type("/Service")

named := {key: found |
	key := application.key(services[_])
	found := [service |
		some i
		application.key(services[i]) = key
		service := services[i]
	]
}

port_names(pod) := {port.name |
	some c in workload.lasting(pod)
	some [_, port] in field.objects(c.container, ["ports"])
}

backends(ingress) := array.concat([["spec", "defaultBackend"]], [["spec", "rules", i, "http", "paths", j, "backend"] |
	some [i, rule] in field.objects(ingress, ["spec", "rules"])
	some [j, _] in field.objects(rule, ["http", "paths"])
])

has_port(service, wanted) if {
	some [_, port] in field.objects(service, ["spec", "ports"])
	port.name == wanted.name
}

has_port(service, wanted) if {
	some [_, port] in field.objects(service, ["spec", "ports"])
	port.port == wanted.number
}
