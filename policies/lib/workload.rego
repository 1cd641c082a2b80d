# METADATA
# title: Pods, wherever they are described
# description: |
#   Finds the Pod in a Pod, and the Pod template in everything that makes Pods: the built-in workloads,
#   Argo Rollouts, Knative Services and OpenShift DeploymentConfigs.
package mergegate.lib.workload

import data.mergegate.lib.field

# templates say where the Pod, or its template, stands in each kind.
templates := {
	"/Pod": [],
	"/PodTemplate": ["template"],
	"/ReplicationController": ["spec", "template"],
	"apps.openshift.io/DeploymentConfig": ["spec", "template"],
	"apps/DaemonSet": ["spec", "template"],
	"apps/Deployment": ["spec", "template"],
	"apps/ReplicaSet": ["spec", "template"],
	"apps/StatefulSet": ["spec", "template"],
	"argoproj.io/Rollout": ["spec", "template"],
	"batch/CronJob": ["spec", "jobTemplate", "spec", "template"],
	"batch/Job": ["spec", "template"],
	"serving.knative.dev/Service": ["spec", "template"],
}

# pod is the Pod of the input of an object policy. Undefined where there is none.
pod := pod_of(input)

# pod_of is the Pod of an object:
#   path, spec             where its spec stands, and the spec
#   metadata_path, metadata
#   containers             all of them, init and ephemeral ones too
pod_of(object_) := {
	"path": array.concat(template, ["spec"]),
	"spec": spec,
	"metadata_path": array.concat(template, ["metadata"]),
	"metadata": metadata_of(object_, template),
	"containers": containers_of(array.concat(template, ["spec"]), spec),
} if {
	template := templates[type(object_)]
	spec := object.get(object_, array.concat(template, ["spec"]), null)
	is_object(spec)
}

# type is group/Kind; the core group is empty.
type(object_) := sprintf("%s/%s", [group(object_), object_.kind]) if is_string(object_.kind)

group(object_) := split(object_.apiVersion, "/")[0] if contains(object_.apiVersion, "/")

group(object_) := "" if not contains(object_.apiVersion, "/")

# id names an object for people: Kind name.
id(object_) := sprintf("%v %v", [object_.kind, object.get(object_, ["metadata", "name"], "without a name")])

metadata_of(object_, template) := metadata if {
	metadata := object.get(object_, array.concat(template, ["metadata"]), {})
	is_object(metadata)
} else := {}

# labels are the labels of the Pods, {} if there are none.
labels(pod_) := found if {
	found := object.get(pod_.metadata, "labels", {})
	is_object(found)
} else := {}

# containers_of gives each container with its path, its field (containers, initContainers,
# ephemeralContainers) and its name for people.
containers_of(path, spec) := [entry |
	some kind in ["initContainers", "containers", "ephemeralContainers"]
	some [i, container] in field.objects(spec, [kind])
	entry := {
		"path": array.concat(path, [kind, i]),
		"container": container,
		"kind": kind,
		"name": sprintf("%v", [object.get(container, "name", i)]),
	}
]

# lasting are the containers that run as long as the Pod does: the ordinary ones and sidecars.
lasting(pod_) := [c |
	some c in pod_.containers
	stays(c)
]

stays(c) if c.kind == "containers"

stays(c) if {
	c.kind == "initContainers"
	c.container.restartPolicy == "Always"
}

# windows says that the Pod runs on Windows.
windows(pod_) if pod_.spec.os.name == "windows"
