package main

import data.pods

deny contains msg if {
	some c in pods.containers
	inherited := object.get(pods.spec, ["securityContext", "runAsNonRoot"], false)
	object.get(c, ["securityContext", "runAsNonRoot"], inherited) != true
	msg := sprintf("%s: container %s may run as root", [pods.name, c.name])
}
