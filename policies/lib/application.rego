# METADATA
# title: The objects of an application, before and after
# description: For policies of scope application and change.
package mergegate.lib.application

import data.mergegate.lib.workload

# workloads are the objects as proposed that describe Pods: object, key, namespace, pod and the Pods' labels.
workloads := [entry | some object_ in input.objects; entry := workload_of(object_)]

# base_workloads are those before the change.
base_workloads := [entry | some object_ in input.base; entry := workload_of(object_)]

workload_of(object_) := {
	"object": object_,
	"key": key(object_),
	"namespace": namespace(object_),
	"pod": pod,
	"labels": workload.labels(pod),
} if {
	pod := workload.pod_of(object_)
}

# keys are the objects as proposed.
keys := {key(object_) | some object_ in input.objects}

# base_keys are those before the change.
base_keys := {key(object_) | some object_ in input.base}

# key identifies an object within its application: [type, namespace, name].
key(object_) := [workload.type(object_), namespace(object_), name(object_)]

name(object_) := object.get(object_, ["metadata", "name"], "")

# namespace is the object's, or that of the application where it names none.
namespace(object_) := found if {
	found := object.get(object_, ["metadata", "namespace"], "")
	not found in {"", null}
} else := own_namespace

default own_namespace := ""

own_namespace := data.mergegate.application.namespace

# annotations of an object, {} if there are none.
annotations(object_) := found if {
	found := object_.metadata.annotations
	is_object(found)
} else := {}

# kept says that what deploys the application leaves the object in the cluster when it is deleted from Git.
kept(object_) if {
	some option in sync_options(object_)
	option in {"Prune=false", "Delete=false"}
}

kept(object_) if lower(annotations(object_)["kustomize.toolkit.fluxcd.io/prune"]) == "disabled"

kept(object_) if annotations(object_)["helm.sh/resource-policy"] == "keep"

# replaced says that what deploys the application deletes the object and creates it anew where it cannot be updated.
replaced(object_) if "Force=true" in sync_options(object_)

replaced(object_) if lower(annotations(object_)["kustomize.toolkit.fluxcd.io/force"]) == "enabled"

replaced(object_) if annotations(object_)["argocd.argoproj.io/hook"]

replaced(object_) if annotations(object_)["helm.sh/hook"]

sync_options(object_) := {trim_space(option) |
	text := annotations(object_)["argocd.argoproj.io/sync-options"]
	is_string(text)
	some option in split(text, ",")
}

# scalers are the objects as proposed that set the replicas of others: the scaler, its target's type and name, and
# where the target is named.
scalers := array.concat(
	[entry |
		some object_ in input.objects
		workload.type(object_) == "autoscaling/HorizontalPodAutoscaler"
		target := object_.spec.scaleTargetRef
		entry := scaler(object_, target, "")
	],
	[entry |
		some object_ in input.objects
		workload.type(object_) == "keda.sh/ScaledObject"
		target := object_.spec.scaleTargetRef
		entry := scaler(object_, target, "apps/v1")
	],
)

scaler(object_, target, default_version) := {
	"object": object_,
	"namespace": namespace(object_),
	"type": sprintf("%s/%v", [workload.group({"apiVersion": version}), kind]),
	"name": target.name,
} if {
	version := object.get(target, "apiVersion", default_version)
	kind := object.get(target, "kind", "Deployment")
}

# scaled says whether a scaler sets the replicas of an object.
scaled(object_) if {
	some s in scalers
	[s.type, s.namespace, s.name] == key(object_)
}
