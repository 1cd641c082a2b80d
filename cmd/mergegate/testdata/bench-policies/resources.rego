package main

import data.pods

deny contains msg if {
	some c in pods.containers
	some resource in ["cpu", "memory"]
	not c.resources.requests[resource]
	msg := sprintf("%s: container %s requests no %s", [pods.name, c.name, resource])
}

deny contains msg if {
	some c in pods.containers
	not c.resources.limits.memory
	msg := sprintf("%s: container %s has no memory limit", [pods.name, c.name])
}
