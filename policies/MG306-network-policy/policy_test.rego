package mergegate.policies.mg306_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg306

policy(name, spec) := {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec}

closed := policy("closed", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})

web := fixture.deployment({"containers": []})

removed(base, head) := found if {
	change := object.union(fixture.deleted(closed), {"objects": head, "base": base})
	found := mg306.deny with input as change
}

test_removed if {
	found := removed([closed, web], [web])
	count(found) == 2
	fixture.pointers(found) == {"/spec/podSelector"}
}

test_removed_with_its_pods if {
	count(removed([closed, web], [])) == 0
}

test_removed_but_still_isolated if {
	other := policy("other", {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress", "Egress"]})
	count(removed([closed, web], [web, other])) == 0
	ingress_only := policy("other", {"podSelector": {}, "ingress": []})
	{f.msg | some f in removed([closed, web], [web, ingress_only])} == {"no NetworkPolicy limits the egress of Deployment web any more: keep one that selects these Pods"}
}

test_narrowed if {
	after := policy("closed", {"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Ingress"]})
	before := policy("closed", {"podSelector": {}, "policyTypes": ["Ingress"]})
	change := object.union(fixture.updated(before, after, ["/spec/podSelector"]), {"objects": [web, after], "base": [web, before]})
	found := mg306.deny with input as change
	fixture.pointers(found) == {"/spec/podSelector"}
}

widened(before, after) := found if {
	found := mg306.warn with input as fixture.updated(policy("p", before), policy("p", after), ["/spec"])
}

test_opened if {
	fixture.pointers(widened({"ingress": []}, {"ingress": [{}]})) == {"/spec/ingress/0"}
	fixture.pointers(widened({"ingress": []}, {"ingress": [{"from": []}]})) == {"/spec/ingress/0"}
	fixture.pointers(widened(
		{"ingress": [{"from": [{"podSelector": {}}]}]},
		{"ingress": [{"from": [{"podSelector": {}}, {"ipBlock": {"cidr": "0.0.0.0/0"}}]}]},
	)) == {"/spec/ingress/0/from/1"}
	fixture.pointers(widened({}, {"egress": [{"to": [{"namespaceSelector": {}}]}]})) == {"/spec/egress/0/to/0"}
}

test_as_open_as_before if {
	count(widened({"ingress": [{}]}, {"ingress": [{"from": [{"podSelector": {}}]}, {}]})) == 0
	count(widened({"egress": [{"ports": [{"port": 53}]}]}, {"egress": [{"ports": [{"port": 53}]}]})) == 0
}

test_narrow_peers if {
	every peer in [
		{"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"a": "b"}}}, {"ipBlock": {"cidr": "10.0.0.0/8"}},
		{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}, {"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}},
	] {
		count(widened({"ingress": []}, {"ingress": [{"from": [peer]}]})) == 0
	}
}

test_created if {
	found := mg306.warn with input as fixture.created(policy("p", {"ingress": [{}]}))
	count(found) == 0
}
