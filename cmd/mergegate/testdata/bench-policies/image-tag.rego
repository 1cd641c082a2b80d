package main

import data.pods

deny contains msg if {
	some c in pods.containers
	not contains(c.image, "@sha256:")
	parts := split(c.image, "/")
	last := parts[count(parts) - 1]
	not regex.match(`:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`, last)
	msg := sprintf("%s: container %s: image %s has no tag", [pods.name, c.name, c.image])
}

deny contains msg if {
	some c in pods.containers
	endswith(c.image, ":latest")
	msg := sprintf("%s: container %s: image %s has the tag latest", [pods.name, c.name, c.image])
}
