# METADATA
# title: Services select Pods of their application
# description: |
#   A Service whose selector matches no Pod template of the application has no endpoints. Mostly a label is misspelt, or was
#   changed in one of the two places.
# related_resources:
# - https://kubernetes.io/docs/concepts/services-networking/service/
# custom:
#   id: MG501
#   severity: medium
#   mergegate:
#     scope: application
#     kinds: [/Service]
package mergegate.policies.mg501

import data.mergegate.lib.application
import data.mergegate.lib.workload

warn contains {"field": ["spec", "selector"], "msg": msg, "object": service} if {
	some service in application.of_type("/Service")
	object.get(service, ["spec", "type"], "ClusterIP") != "ExternalName"
	selector := service.spec.selector
	is_object(selector)
	selector != {}
	namespace := application.namespace(service)
	namespace in application.namespaces # elsewhere the Pods are of another application
	count(application.selected(namespace, selector)) == 0
	not made_by_operator(selector, namespace)
	msg := sprintf("Service %s selects no Pods of the application: compare its selector with the labels of the Pod templates", [
		application.name(service),
	])
}

# made_by_operator says that a custom resource of the application has to do with the selector: its operator may make the Pods.
made_by_operator(selector, namespace) if {
	wanted := {value | some value in selector}
	some custom in customs
	custom.namespace == namespace
	count(custom.words & wanted) > 0
}

made_by_operator(selector, _) if {
	some key, _ in selector
	contains(key, "/")
	prefix := split(key, "/")[0]
	not endswith(prefix, "kubernetes.io")
	not prefix in prefixes
}

# prefixes are those of the labels of the application's own Pods.
prefixes := {split(key, "/")[0] |
	some w in application.workloads
	some key, _ in w.labels
	contains(key, "/")
}

customs := [{"namespace": application.namespace(object_), "words": words} |
	some object_ in input.objects
	group := workload.group(object_)
	contains(group, ".")
	not endswith(group, ".k8s.io")
	not group in makes_no_pods
	not workload.type(object_) in makes_no_pods
	not workload.type(object_) in object.keys(workload.places)
	words := {application.name(object_)} | {value | some value in object_.metadata.labels}
]

makes_no_pods := {
	"bitnami.com", "cert-manager.io", "cilium.io", "external-secrets.io", "keda.sh", "networking.istio.io", "security.istio.io",
	"traefik.containo.us", "traefik.io", "monitoring.coreos.com/PodMonitor", "monitoring.coreos.com/Probe",
	"monitoring.coreos.com/PrometheusRule", "monitoring.coreos.com/ServiceMonitor",
}
