# METADATA
# title: Autoscalers scale something, and alone
# description: |
#   An autoscaler without its target does nothing. One whose target has a fixed number of replicas is undone by every
#   deployment.
# related_resources:
# - https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/
# custom:
#   id: MG503
#   severity: medium
#   mergegate:
#     scope: application
#     kinds: [autoscaling/HorizontalPodAutoscaler, keda.sh/ScaledObject]
package mergegate.policies.mg503

import data.mergegate.lib.application
import data.mergegate.lib.workload

deny contains {"field": ["spec", "maxReplicas"], "msg": msg, "object": object_} if {
	some object_ in application.of_type("autoscaling/HorizontalPodAutoscaler")
	object_.spec.maxReplicas < object_.spec.minReplicas
	is_number(object_.spec.maxReplicas)
	is_number(object_.spec.minReplicas)
	msg := sprintf("maxReplicas %v is less than minReplicas %v: the API server refuses it", [
		object_.spec.maxReplicas,
		object_.spec.minReplicas,
	])
}

warn contains {"field": ["spec", "scaleTargetRef", "name"], "msg": msg, "object": scaler.object} if {
	some scaler in application.scalers
	scaler.type in object.keys(workload.places)
	scaler.namespace in application.namespaces
	not [scaler.type, scaler.namespace, scaler.name] in application.keys
	msg := sprintf("%s is not in the application: nothing is scaled", [scaler.name])
}

warn contains {"field": ["spec", "replicas"], "msg": msg, "object": w.object} if {
	some w in application.workloads
	w.key in application.scaled_keys
	is_number(w.object.spec.replicas)
	some scaler in application.scalers
	w.key == [scaler.type, scaler.namespace, scaler.name]
	msg := sprintf("%s sets the replicas of %s, and every deployment sets them back to what this says: remove replicas", [
		workload.id(scaler.object),
		workload.id(w.object),
	])
}
