# METADATA
# title: NetworkPolicies are not lifted or opened
# description: |
#   Pods that no NetworkPolicy selects any more may be reached from everywhere. A rule without peers lets everyone in. Keep
#   a policy for every Pod that had one.
# related_resources:
# - https://kubernetes.io/docs/concepts/services-networking/network-policies/
# custom:
#   id: MG306
#   severity: high
#   mergegate:
#     scope: change
#     kinds: [networking.k8s.io/NetworkPolicy]
package mergegate.policies.mg306

import data.mergegate.lib.application
import data.mergegate.lib.field
import data.mergegate.lib.networkpolicy
import data.mergegate.lib.workload

deny contains {"field": place, "msg": msg} if {
	is_object(input.change.before)
	some direction in networkpolicy.directions(input.change.before)
	freed := {workload.id(w.object) |
		some w in application.workloads
		isolated_before(w, direction)
		not networkpolicy.isolated(w, direction)
	}
	count(freed) > 0
	msg := sprintf("no NetworkPolicy limits the %s of %s any more: keep one that selects these Pods", [
		lower(direction),
		concat(", ", sort(freed)),
	])
}

warn contains {"field": opening.path, "msg": msg} if {
	input.change.actions == ["update"]
	some opening in networkpolicy.openings(input.change.after)
	not object.remove(opening, ["path"]) in known
	msg := sprintf("this opens the %s to %s%s: name the peers that need it", [
		lower(opening.direction),
		opening.whom,
		on_ports(opening.ports),
	])
}

# isolated_before says whether the policy limited this workload, as it was before.
isolated_before(w, direction) if {
	w.namespace == application.namespace(input.change.before)
	some old in application.base_workloads
	old.key == w.key
	networkpolicy.isolates(input.change.before, direction, old.labels)
}

known := {object.remove(opening, ["path"]) | some opening in networkpolicy.openings(input.change.before)}

on_ports(ports) := " on all ports" if count(ports) == 0

on_ports(ports) := "" if count(ports) > 0

place := field.at([], input.change.after, ["spec", "podSelector"]) if is_object(input.change.after)

place := field.at([], input.change.before, ["spec", "podSelector"]) if not is_object(input.change.after)
