# METADATA
# title: Workloads select their own Pods
# description: |
#   The API server refuses a workload whose selector does not match the labels of its Pod template.
# related_resources:
# - https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#selector
# custom:
#   id: MG508
#   severity: high
#   mergegate:
#     scope: object
#     kinds: [apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout]
package mergegate.policies.mg508

import data.mergegate.lib.field
import data.mergegate.lib.selector
import data.mergegate.lib.workload

deny contains {"field": field.at([], input, ["spec", "selector"]), "msg": msg} if {
	is_object(workload.pod)
	not selects
	msg := sprintf("the selector does not match the labels of the Pod template: the API server refuses the %s", [input.kind])
}

# selects says that the selector is there, says something and matches.
selects if {
	some _, part in input.spec.selector
	not part in [{}, [], null]
	selector.matches(input.spec.selector, workload.labels(workload.pod))
}
