package main

import data.pods

deny contains msg if {
	input.kind == "Service"
	input.spec.type in {"NodePort", "LoadBalancer"}
	msg := sprintf("%s: type %s opens it to outside the cluster", [pods.name, input.spec.type])
}

deny contains msg if {
	input.kind == "Ingress"
	not input.spec.tls
	msg := sprintf("%s: no TLS", [pods.name])
}
