package main

import data.pods

deny contains msg if {
	some key in ["hostNetwork", "hostPID", "hostIPC"]
	pods.spec[key] == true
	msg := sprintf("%s: %s is on", [pods.name, key])
}

deny contains msg if {
	some volume in pods.spec.volumes
	volume.hostPath
	msg := sprintf("%s: volume %s is a path of the host", [pods.name, volume.name])
}
