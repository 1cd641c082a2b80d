package mergegate.policies.mg101_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg101

test_privileged if {
	found := mg101.deny with input as fixture.deployment(fixture.container({"securityContext": {"privileged": true}}))
	fixture.pointers(found) == {"/spec/template/spec/containers/0/securityContext/privileged"}
}

test_init_and_ephemeral_containers if {
	bad := {"name": "x", "securityContext": {"privileged": true}}
	found := mg101.deny with input as fixture.pod({"containers": [{"name": "web"}], "initContainers": [bad], "ephemeralContainers": [bad]})
	fixture.pointers(found) == {
		"/spec/initContainers/0/securityContext/privileged",
		"/spec/ephemeralContainers/0/securityContext/privileged",
	}
}

test_cronjob if {
	found := mg101.deny with input as fixture.cronjob(fixture.container({"securityContext": {"privileged": true}}))
	fixture.pointers(found) == {"/spec/jobTemplate/spec/template/spec/containers/0/securityContext/privileged"}
}

test_every_kind_that_makes_pods if {
	every kind in ["apps/v1/DaemonSet", "apps/v1/StatefulSet", "apps/v1/ReplicaSet", "batch/v1/Job", "argoproj.io/v1alpha1/Rollout"] {
		[group, version, name] := split(kind, "/")
		object_ := object.union(fixture.deployment(fixture.container({"securityContext": {"privileged": true}})), {
			"apiVersion": sprintf("%s/%s", [group, version]), "kind": name,
		})
		found := mg101.deny with input as object_
		count(found) == 1
	}
}

test_host_process if {
	found := mg101.deny with input as fixture.deployment({
		"securityContext": {"windowsOptions": {"hostProcess": true}},
		"containers": [{"name": "web", "securityContext": {"windowsOptions": {"hostProcess": true}}}],
	})
	fixture.pointers(found) == {
		"/spec/template/spec/securityContext/windowsOptions/hostProcess",
		"/spec/template/spec/containers/0/securityContext/windowsOptions/hostProcess",
	}
}

test_unprivileged if {
	every context in [{}, {"privileged": false}, {"privileged": null}, {"windowsOptions": {"hostProcess": false}}] {
		found := mg101.deny with input as fixture.deployment(fixture.container({"securityContext": context}))
		count(found) == 0
	}
}

test_no_pod_at_all if {
	found := mg101.deny with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
	count(found) == 0
}
