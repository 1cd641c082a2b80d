package mergegate.policies.mg106_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg106

context(c) := fixture.pod(fixture.container({"securityContext": c}))

at_container := "/spec/containers/0/securityContext"

test_seccomp if {
	found := mg106.deny with input as context({"seccompProfile": {"type": "Unconfined"}})
	fixture.pointers(found) == {concat("", [at_container, "/seccompProfile/type"])}
}

test_apparmor_field if {
	found := mg106.deny with input as context({"appArmorProfile": {"type": "Unconfined"}})
	fixture.pointers(found) == {concat("", [at_container, "/appArmorProfile/type"])}
}

test_apparmor_annotation if {
	found := mg106.deny with input as {
		"apiVersion": "v1", "kind": "Pod",
		"metadata": {"name": "web", "annotations": {"container.apparmor.security.beta.kubernetes.io/web": "unconfined"}},
		"spec": {"containers": [{"name": "web"}]},
	}
	{f.field | some f in found} == {["metadata", "annotations", "container.apparmor.security.beta.kubernetes.io/web"]}
}

test_apparmor_allowed if {
	every profile in ["runtime/default", "localhost/mine", ""] {
		found := mg106.deny with input as {
			"apiVersion": "v1", "kind": "Pod",
			"metadata": {"name": "web", "annotations": {"container.apparmor.security.beta.kubernetes.io/web": profile}},
			"spec": {"containers": [{"name": "web"}]},
		}
		count(found) == 0
	}
}

test_selinux if {
	found := mg106.deny with input as context({"seLinuxOptions": {"type": "spc_t", "user": "system_u", "role": "", "level": "s0"}})
	fixture.pointers(found) == {
		concat("", [at_container, "/seLinuxOptions/type"]),
		concat("", [at_container, "/seLinuxOptions/user"]),
	}
}

test_selinux_allowed if {
	every type in ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"] {
		found := mg106.deny with input as context({"seLinuxOptions": {"type": type, "level": "s0:c1,c2"}})
		count(found) == 0
	}
}

test_proc_mount if {
	found := mg106.deny with input as context({"procMount": "Unmasked"})
	fixture.pointers(found) == {concat("", [at_container, "/procMount"])}
}

test_proc_mount_in_a_user_namespace if {
	found := mg106.deny with input as fixture.pod(object.union(
		{"hostUsers": false},
		fixture.container({"securityContext": {"procMount": "Unmasked"}}),
	))
	count(found) == 0
}

test_sysctls if {
	found := mg106.deny with input as fixture.deployment({"securityContext": {"sysctls": [
		{"name": "net.ipv4.tcp_syncookies", "value": "1"},
		{"name": "kernel.msgmax", "value": "65536"},
	]}})
	fixture.pointers(found) == {"/spec/template/spec/securityContext/sysctls/1/name"}
}

test_defaults if {
	found := mg106.deny with input as fixture.pod({
		"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}, "appArmorProfile": {"type": "Localhost", "localhostProfile": "x"}},
		"containers": [{"name": "web", "securityContext": {"procMount": "Default"}}],
	})
	count(found) == 0
}
