package mergegate.policies.mg305_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg305

service(selector) := {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": selector}}

labelled(name, labels) := {
	"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
	"spec": {"template": {"metadata": {"labels": labels}, "spec": {"containers": []}}},
}

denied(base, head) := found if {
	found := mg305.deny with input as fixture.application(head, base)
}

warned(base, head) := found if {
	found := mg305.warn with input as fixture.application(head, base)
}

web := labelled("web", {"app": "web", "version": "1"})

test_selector_changes if {
	fixture.pointers(denied([service({"app": "web"}), web], [service({"app": "wbe"}), web])) == {"/spec/selector"}
}

test_labels_change if {
	moved := labelled("web", {"app": "shop"})
	fixture.pointers(denied([service({"app": "web"}), web], [service({"app": "web"}), moved])) == {"/spec/selector"}
}

test_selector_removed if {
	without := {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {}}
	fixture.pointers(denied([service({"app": "web"}), web], [without, web])) == {"/spec"}
}

test_some_of_several if {
	other := labelled("blue", {"app": "web", "version": "2"})
	base := [service({"app": "web"}), web, other]
	head := [service({"app": "web", "version": "2"}), web, other]
	count(denied(base, head)) == 0
	fixture.pointers(warned(base, head)) == {"/spec/selector"}
}

test_both_change if {
	base := [service({"app": "web"}), web]
	head := [service({"app": "shop"}), labelled("web", {"app": "shop"})]
	count(denied(base, head)) == 0
	count(warned(base, head)) == 0
}

test_workload_goes if {
	count(denied([service({"app": "web"}), web], [service({"app": "web"})])) == 0
}

test_new_service if {
	count(denied([web], [service({"app": "none"}), web])) == 0
}

test_other_namespace if {
	far := json.patch(web, [{"op": "add", "path": "/metadata/namespace", "value": "other"}])
	count(denied([service({"app": "web"}), far], [service({"app": "x"}), far])) == 0
}

test_unchanged if {
	objects := [service({"app": "web"}), web]
	count(denied(objects, objects)) == 0
	count(warned(objects, objects)) == 0
}
