package main

import data.pods

deny contains msg if {
	some c in pods.containers
	c.securityContext.privileged == true
	msg := sprintf("%s: container %s is privileged", [pods.name, c.name])
}

deny contains msg if {
	some c in pods.containers
	object.get(c, ["securityContext", "allowPrivilegeEscalation"], true) != false
	msg := sprintf("%s: container %s may gain privileges", [pods.name, c.name])
}
