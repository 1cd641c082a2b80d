package mergegate.policies.mg501_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg501

service(selector) := {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": selector}}

web := fixture.deployment({"containers": []})

warned(objects) := found if {
	found := mg501.warn with input as fixture.application(objects, [])
}

test_no_pods if {
	fixture.pointers(warned([service({"app": "wbe"}), web])) == {"/spec/selector"}
	fixture.pointers(warned([service({"app": "web", "tier": "front"}), web])) == {"/spec/selector"}
}

test_pods if {
	count(warned([service({"app": "web"}), web])) == 0
}

test_no_selector if {
	count(warned([service({}), web])) == 0
	count(warned([{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {}}, web])) == 0
	external := {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "ExternalName", "selector": {"a": "b"}}}
	count(warned([external, web])) == 0
}

test_no_workloads_in_its_namespace if {
	count(warned([service({"app": "wbe"})])) == 0
	far := json.patch(web, [{"op": "add", "path": "/metadata/namespace", "value": "other"}])
	count(warned([service({"app": "wbe"}), far])) == 0
}

test_pods_of_an_operator if {
	cluster := {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "db"}}
	count(warned([service({"cluster": "db"}), web, cluster])) == 0
	count(warned([service({"cnpg.io/cluster": "db"}), web])) == 0
	prometheus := {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "k8s", "labels": {"app": "prometheus"}}}
	count(warned([service({"app": "prometheus"}), web, prometheus])) == 0
}

test_custom_resources_that_make_no_pods if {
	monitor := {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": {"name": "wbe"}}
	count(warned([service({"app": "wbe"}), web, monitor])) == 1
}
