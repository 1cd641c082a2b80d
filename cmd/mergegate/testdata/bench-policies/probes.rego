package main

import data.pods

warn contains msg if {
	input.kind in {"Deployment", "StatefulSet", "DaemonSet"}
	some c in input.spec.template.spec.containers
	not c.readinessProbe
	msg := sprintf("%s: container %s has no readiness probe", [pods.name, c.name])
}
