# METADATA
# title: The controls of the Pod Security Standards
# description: |
#   One function for each control, in the newest version of the standards. Each takes a Pod of
#   mergegate.lib.workload and gives what violates the control: field and msg.
# related_resources:
# - https://kubernetes.io/docs/concepts/security/pod-security-standards/
package mergegate.lib.podsecurity

import data.mergegate.lib.field
import data.mergegate.lib.workload

# baseline is what the level baseline forbids. The host fields of probes are not in it: whether they are
# forbidden depends on the cluster's version, 1.34 or older.
baseline(pod) := union({
	host_process(pod),
	host_namespaces(pod),
	privileged(pod),
	capabilities(pod),
	host_paths(pod),
	host_ports(pod),
	apparmor(pod),
	selinux(pod),
	proc_mount(pod),
	seccomp(pod),
	sysctls(pod),
})

# restricted is what the level restricted forbids beyond baseline.
restricted(pod) := union({
	volume_types(pod),
	privilege_escalation(pod),
	root(pod),
	seccomp_missing(pod),
	capabilities_kept(pod),
	proc_mount_restricted(pod),
})

# contexts are the security contexts of the Pod and of its containers: path, context and whose it is.
contexts(pod) := array.concat(
	[{"path": pod.path, "owner": pod.spec, "context": context, "name": "the Pod"} |
		context := pod.spec.securityContext
		is_object(context)
	],
	[{"path": c.path, "owner": c.container, "context": context, "name": sprintf("container %s", [c.name])} |
		some c in pod.containers
		context := c.container.securityContext
		is_object(context)
	],
)

# container_contexts leaves out the Pod's, which does not have all of the fields.
container_contexts(pod) := [c | some c in contexts(pod); c.path != pod.path]

# found is a violation at a place of a security context.
found(context, rel, msg) := {
	"field": field.at(context.path, context.owner, array.concat(["securityContext"], rel)),
	"msg": msg,
}

host_process(pod) := {found(c, ["windowsOptions", "hostProcess"], msg) |
	some c in contexts(pod)
	c.context.windowsOptions.hostProcess == true
	msg := sprintf("%s is a Windows HostProcess and has its node: set hostProcess to false", [c.name])
}

host_namespaces(pod) := {{"field": array.concat(pod.path, [name]), "msg": msg} |
	some name, gives in {
		"hostNetwork": "the node's network, its loopback services included",
		"hostPID": "all processes of the node",
		"hostIPC": "the shared memory of the node's processes",
	}
	pod.spec[name] == true
	msg := sprintf("%s: true gives the Pod %s: remove it", [name, gives])
}

privileged(pod) := {found(c, ["privileged"], msg) |
	some c in container_contexts(pod)
	c.context.privileged == true
	msg := sprintf("%s runs privileged, which is root on its node: remove privileged and add only the capabilities that it needs", [c.name])
}

default_capabilities := {
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID",
	"SETPCAP", "SETUID", "SYS_CHROOT",
}

capabilities(pod) := {found(c, ["capabilities", "add", i], msg) |
	some c in container_contexts(pod)
	some i, capability in c.context.capabilities.add
	not capability in default_capabilities
	msg := sprintf("%s adds the capability %v, which container runtimes do not give by default: remove it", [c.name, capability])
}

host_paths(pod) := {{"field": array.concat(pod.path, ["volumes", i, "hostPath"]), "msg": msg} |
	some i, volume in pod.spec.volumes
	is_object(volume.hostPath)
	msg := sprintf("volume %v mounts %v of the node: use a volume that is not the node's, such as emptyDir or a claim", [
		object.get(volume, "name", i),
		object.get(volume.hostPath, "path", "a path"),
	])
}

host_ports(pod) := {{"field": array.concat(c.path, ["ports", i, "hostPort"]), "msg": msg} |
	some c in pod.containers
	some i, port in c.container.ports
	is_number(port.hostPort)
	port.hostPort != 0
	msg := sprintf("container %s takes port %v of the node: remove hostPort and use a Service", [c.name, port.hostPort])
}

apparmor(pod) := apparmor_fields(pod) | apparmor_annotations(pod)

apparmor_fields(pod) := {found(c, ["appArmorProfile", "type"], msg) |
	some c in contexts(pod)
	type := c.context.appArmorProfile.type
	not type in {"RuntimeDefault", "Localhost"}
	msg := sprintf("%s has the AppArmor profile %v: use RuntimeDefault or Localhost", [c.name, type])
}

apparmor_annotations(pod) := {{"field": array.concat(pod.metadata_path, ["annotations", key]), "msg": msg} |
	some key, profile in pod.metadata.annotations
	is_string(key)
	startswith(key, "container.apparmor.security.beta.kubernetes.io/")
	not profile in {"", "runtime/default"}
	not apparmor_local(profile)
	msg := sprintf("AppArmor profile %v: use runtime/default or localhost/<profile>", [profile])
}

apparmor_local(profile) if {
	is_string(profile)
	startswith(profile, "localhost/")
}

selinux(pod) := {found(c, ["seLinuxOptions", key], msg) |
	some c in contexts(pod)
	some key, allowed in {
		"type": {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"},
		"user": {""},
		"role": {""},
	}
	value := c.context.seLinuxOptions[key]
	value != null
	not value in allowed
	msg := sprintf("%s sets the SELinux %s %v: remove it", [c.name, key, value])
}

proc_mount(pod) := proc_mount_restricted(pod) if not user_namespace(pod)

proc_mount(pod) := set() if user_namespace(pod)

proc_mount_restricted(pod) := {found(c, ["procMount"], msg) |
	some c in container_contexts(pod)
	mount := c.context.procMount
	not mount in {null, "Default"}
	msg := sprintf("%s mounts /proc %v: remove procMount", [c.name, mount])
}

seccomp(pod) := {found(c, ["seccompProfile", "type"], msg) |
	some c in contexts(pod)
	type := c.context.seccompProfile.type
	not type in {"RuntimeDefault", "Localhost"}
	msg := sprintf("%s has the seccomp profile %v: use RuntimeDefault or Localhost", [c.name, type])
}

safe_sysctls := {
	"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout",
	"net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_keepalive_time",
	"net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
}

sysctls(pod) := {{"field": array.concat(pod.path, ["securityContext", "sysctls", i, "name"]), "msg": msg} |
	some i, sysctl in pod.spec.securityContext.sysctls
	name := sysctl.name
	not name in safe_sysctls
	msg := sprintf("the sysctl %v is not one of the safe ones, which stay within the Pod: remove it", [name])
}

# probe_hosts are the hosts that probes and lifecycle hooks name; forbidden by baseline since 1.34.
probe_hosts(pod) := {{"field": array.concat(call.path, [how, "host"]), "msg": msg} |
	some call in calls(pod)
	some how in ["httpGet", "tcpSocket"]
	host := call.handler[how].host
	not host in {"", null}
	msg := sprintf("%s of container %s makes the node's kubelet call the host %v: remove host, the Pod itself is the default", [
		call.what,
		call.name,
		host,
	])
}

# calls are the probes and lifecycle hooks of all containers.
calls(pod) := array.concat(
	[{"what": what, "name": c.name, "path": array.concat(c.path, [what]), "handler": handler} |
		some c in pod.containers
		some what in ["livenessProbe", "readinessProbe", "startupProbe"]
		handler := c.container[what]
	],
	[{"what": what, "name": c.name, "path": array.concat(c.path, ["lifecycle", what]), "handler": handler} |
		some c in pod.containers
		some what in ["postStart", "preStop"]
		handler := c.container.lifecycle[what]
	],
)

core_volumes := {
	"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret",
}

# volume_types are the volumes that restricted forbids and baseline does not.
volume_types(pod) := {{"field": array.concat(pod.path, array.concat(["volumes", i], type)), "msg": msg} |
	some i, volume in pod.spec.volumes
	is_object(volume)
	types := {key | some key, source in volume; not key in {"name", "hostPath"}; source != null}
	count(types & core_volumes) == 0
	count(types) > 0
	type := [min(types)]
	msg := sprintf("volume %v is of the type %s: use a claim (persistentVolumeClaim) instead", [object.get(volume, "name", i), type[0]])
}

privilege_escalation(pod) := {{
	"field": field.at(c.path, c.container, ["securityContext", "allowPrivilegeEscalation"]),
	"msg": sprintf("container %s may gain more rights than it was started with: set securityContext.allowPrivilegeEscalation to false", [c.name]),
} |
	not workload.windows(pod)
	some c in pod.containers
	object.get(c.container, ["securityContext", "allowPrivilegeEscalation"], null) != false
}

# root is what runs, or may run, as root. A Pod with its own user namespace may: its root is nobody outside.
root(pod) := set() if user_namespace(pod)

root(pod) := root_named(pod) | root_possible(pod) if not user_namespace(pod)

root_named(pod) := union({
	{found(c, ["runAsUser"], msg) |
		some c in contexts(pod)
		c.context.runAsUser == 0
		msg := sprintf("%s runs as root: set runAsUser to another user, or remove it", [c.name])
	},
	{found(c, ["runAsNonRoot"], msg) |
		some c in contexts(pod)
		c.context.runAsNonRoot == false
		msg := sprintf("%s may run as root: set runAsNonRoot to true", [c.name])
	},
})

root_possible(pod) := {{
	"field": field.at(c.path, c.container, ["securityContext", "runAsNonRoot"]),
	"msg": sprintf("container %s may run as root: set runAsNonRoot to true in its securityContext or in the Pod's", [c.name]),
} |
	object.get(pod.spec, ["securityContext", "runAsNonRoot"], null) == null
	some c in pod.containers
	object.get(c.container, ["securityContext", "runAsNonRoot"], null) == null
}

# seccomp_missing are the containers for which nothing sets a seccomp profile.
seccomp_missing(pod) := {{
	"field": field.at(c.path, c.container, ["securityContext", "seccompProfile", "type"]),
	"msg": sprintf("container %s has no seccomp profile: set securityContext.seccompProfile.type to RuntimeDefault, best for the whole Pod", [c.name]),
} |
	not workload.windows(pod)
	object.get(pod.spec, ["securityContext", "seccompProfile", "type"], null) == null
	some c in pod.containers
	object.get(c.container, ["securityContext", "seccompProfile", "type"], null) == null
}

capabilities_kept(pod) := set() if workload.windows(pod)

capabilities_kept(pod) := capabilities_undropped(pod) | capabilities_added(pod) if not workload.windows(pod)

capabilities_undropped(pod) := {{
	"field": field.at(c.path, c.container, ["securityContext", "capabilities", "drop"]),
	"msg": sprintf("container %s keeps the default capabilities: set securityContext.capabilities.drop to [ALL]", [c.name]),
} |
	some c in pod.containers
	not drops_all(c.container)
}

drops_all(container) if "ALL" in container.securityContext.capabilities.drop

capabilities_added(pod) := {found(c, ["capabilities", "add", i], msg) |
	some c in container_contexts(pod)
	some i, capability in c.context.capabilities.add
	capability in default_capabilities
	capability != "NET_BIND_SERVICE"
	msg := sprintf("%s adds the capability %s, only NET_BIND_SERVICE may be added: remove it", [c.name, capability])
}

user_namespace(pod) if pod.spec.hostUsers == false
