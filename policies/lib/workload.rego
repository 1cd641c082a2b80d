# METADATA
# title: Pods, wherever they are described
# description: |
#   Finds the Pod in a Pod, and the Pod template in everything that makes Pods: the built-in workloads,
#   Argo Rollouts, Knative Services and OpenShift DeploymentConfigs.
package mergegate.lib.workload

# places say where the Pod, or its template, has its spec and its metadata, in each kind.
places := {
	"/Pod": {"spec": ["spec"], "metadata": ["metadata"]},
	"/PodTemplate": {"spec": ["template", "spec"], "metadata": ["template", "metadata"]},
	"/ReplicationController": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
	"apps.openshift.io/DeploymentConfig": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
	"apps/DaemonSet": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
	"apps/Deployment": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
	"apps/ReplicaSet": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
	"apps/StatefulSet": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
	"argoproj.io/Rollout": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
	"batch/CronJob": {"spec": ["spec", "jobTemplate", "spec", "template", "spec"], "metadata": ["spec", "jobTemplate", "spec", "template", "metadata"]},
	"batch/Job": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
	"serving.knative.dev/Service": {"spec": ["spec", "template", "spec"], "metadata": ["spec", "template", "metadata"]},
}

# pod is the Pod of the input of an object policy. Undefined where there is none.
pod := pod_of(input)

# pod_of is the Pod of an object:
#   path, spec             where its spec stands, and the spec
#   metadata_path, metadata
#   containers             all of them, init and ephemeral ones too
pod_of(object_) := {
	"path": place.spec,
	"spec": spec,
	"metadata_path": place.metadata,
	"metadata": metadata_of(object_, place.metadata),
	"containers": containers_of(place.spec, spec),
} if {
	place := places[type(object_)]
	spec := object.get(object_, place.spec, null)
	is_object(spec)
}

# type is group/Kind; the core group is empty.
type(object_) := concat("/", [group(object_), object_.kind]) if is_string(object_.kind)

group(object_) := substring(object_.apiVersion, 0, max([indexof(object_.apiVersion, "/"), 0])) if is_string(object_.apiVersion)

# id names an object for people: Kind name.
id(object_) := sprintf("%v %v", [object_.kind, object.get(object_, ["metadata", "name"], "without a name")])

metadata_of(object_, path) := metadata if {
	metadata := object.get(object_, path, {})
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
	some i, container in spec[kind]
	is_object(container)
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
