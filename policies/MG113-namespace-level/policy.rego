# METADATA
# title: Pods fit the level that their Namespace enforces
# description: |
#   The label pod-security.kubernetes.io/enforce of a Namespace makes the API server refuse Pods that violate the level.
#   A workload is still accepted; its Pods never come.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-admission/
# custom:
#   id: MG113
#   severity: high
#   mergegate:
#     scope: application
#     kinds: [/Namespace]
package mergegate.policies.mg113

import data.mergegate.lib.application
import data.mergegate.lib.podsecurity

deny contains {"msg": msg, "field": violation.field, "object": w.object} if {
	some w in application.workloads
	some [w.namespace, level] in enforced
	some violation in violations(level, w.pod)
	msg := sprintf("Namespace %s enforces %s, so its Pods are refused: %s", [w.namespace, level, violation.msg])
}

# enforced are the Namespaces of the application with the level that they enforce.
enforced contains [object_.metadata.name, level] if {
	some object_ in application.of_type("/Namespace")
	level := object_.metadata.labels["pod-security.kubernetes.io/enforce"]
}

violations("baseline", pod) := podsecurity.baseline(pod)

violations("restricted", pod) := podsecurity.baseline(pod) | podsecurity.restricted(pod)
