# METADATA
# title: Names within a Pod or Service are there once
# description: |
#   The API server refuses two containers, volumes, ports or mounts of one name in one place. Two environment variables of one
#   name are accepted, and the last one counts.
# related_resources:
# - https://kubernetes.io/docs/concepts/workloads/pods/
# custom:
#   id: MG506
#   severity: high
#   mergegate:
#     scope: object
#     kinds: [
#       /Pod, /PodTemplate, /ReplicationController, apps.openshift.io/DeploymentConfig,
#       apps/DaemonSet, apps/Deployment, apps/ReplicaSet, apps/StatefulSet, argoproj.io/Rollout,
#       batch/CronJob, batch/Job, serving.knative.dev/Service, /Service
#     ]
package mergegate.policies.mg506

import data.mergegate.lib.field
import data.mergegate.lib.workload

deny contains {"field": second.path, "msg": msg} if {
	some list in lists
	some second in repeated(list)
	msg := sprintf("there is another %s %v: the API server refuses it, rename or remove one", [list.what, second.name])
}

warn contains {"field": second.path, "msg": msg} if {
	some c in workload.pod.containers
	some second in repeated(named("environment variable", field.objects(c.container, ["env"]), array.concat(c.path, ["env"]), "name"))
	msg := sprintf("container %s has the environment variable %v twice: only the last one counts", [c.name, second.name])
}

# lists are the places within which names must be unique.
lists := array.concat(pod_lists, array.concat(container_lists, service_lists))

pod_lists := [list |
	pod := workload.pod
	some list in [
		{"what": "container", "items": [{"name": name, "path": array.concat(c.path, ["name"])} | some c in pod.containers; name := field.string(c.container, ["name"])]},
		named("volume", field.objects(pod.spec, ["volumes"]), array.concat(pod.path, ["volumes"]), "name"),
	]
]

container_lists := [list |
	some c in workload.pod.containers
	some [what, in_list, key] in [["port called", "ports", "name"], ["mount at", "volumeMounts", "mountPath"]]
	list := named(what, field.objects(c.container, [in_list]), array.concat(c.path, [in_list]), key)
]

service_lists := [list |
	workload.type(input) == "/Service"
	list := named("port called", field.objects(input, ["spec", "ports"]), ["spec", "ports"], "name")
]

named(what, entries, path, key) := {"what": what, "items": [item |
	some [i, entry] in entries
	item := {"name": field.string(entry, [key]), "path": array.concat(path, [i, key])}
]}

# repeated are the items whose name an earlier one has.
repeated(list) := [item |
	some i, item in list.items
	some earlier in array.slice(list.items, 0, i)
	earlier.name == item.name
]
