package mergegate.policies.mg105_test

import data.mergegate.lib.fixture
import data.mergegate.policies.mg105

added(list) := fixture.deployment(fixture.container({"securityContext": {"capabilities": {"add": list}}}))

test_dangerous if {
	every capability in ["SYS_ADMIN", "NET_ADMIN", "NET_RAW", "SYS_PTRACE", "ALL", "CAP_CHOWN"] {
		found := mg105.deny with input as added([capability])
		fixture.pointers(found) == {"/spec/template/spec/containers/0/securityContext/capabilities/add/0"}
	}
}

test_only_the_dangerous_ones if {
	found := mg105.deny with input as added(["CHOWN", "SYS_TIME"])
	fixture.pointers(found) == {"/spec/template/spec/containers/0/securityContext/capabilities/add/1"}
}

test_defaults if {
	found := mg105.deny with input as added([
		"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
		"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
	])
	count(found) == 0
}

test_dropped if {
	found := mg105.deny with input as fixture.pod(fixture.container({"securityContext": {"capabilities": {"drop": ["ALL"]}}}))
	count(found) == 0
}
