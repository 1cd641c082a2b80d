# METADATA
# title: The objects of an application, before and after
# description: For policies of scope application and change.
package mergegate.lib.application

import data.mergegate.lib.workload

# of_type are the objects of a type (group/Kind) as proposed.
of_type(type) := object.get(by_type, [type], [])

# workloads are the objects as proposed that describe Pods: object, key, namespace, pod and the Pods' labels.
workloads := [entry | some type, _ in workload.places; some object_ in of_type(type); entry := workload_of(object_)]

# base_workloads are those before the change.
base_workloads := [entry | some object_ in input.base; entry := workload_of(object_)]

typed := [[workload.type(object_), object_] | some object_ in input.objects]

by_type := {type: found |
	type := typed[_][0]
	found := [object_ |
		some i
		typed[i][0] = type # a unification, which is looked up in an index
		object_ := typed[i][1]
	]
}

workload_of(object_) := {
	"object": object_,
	"key": key(object_),
	"namespace": namespace(object_),
	"pod": pod,
	"labels": workload.labels(pod),
} if {
	pod := workload.pod_of(object_)
}

# namespaces are those in which the application has workloads.
namespaces := {w.namespace | some w in workloads}

# selected are the workloads of a namespace whose Pods have all these labels; none, where there are no labels.
selected(namespace_, labels) := [workloads[i] |
	is_object(labels)
	some i in intersection({object.get(by_label, [[namespace_, name_, value]], set()) | some name_, value in labels})
]

# base_selected are those before the change.
base_selected(namespace_, labels) := [base_workloads[i] |
	is_object(labels)
	some i in intersection({object.get(base_by_label, [[namespace_, name_, value]], set()) | some name_, value in labels})
]

labelled := [[[w.namespace, name_, value], i] | some i, w in workloads; some name_, value in w.labels]

by_label := {label: found |
	label := labelled[_][0]
	found := {i |
		some j
		labelled[j][0] = label # a unification, which is looked up in an index
		i := labelled[j][1]
	}
}

base_labelled := [[[w.namespace, name_, value], i] | some i, w in base_workloads; some name_, value in w.labels]

base_by_label := {label: found |
	label := base_labelled[_][0]
	found := {i |
		some j
		base_labelled[j][0] = label
		i := base_labelled[j][1]
	}
}

# keys are the objects as proposed.
keys := {[type, namespace(object_), name(object_)] | some [type, object_] in typed}

# base_keys are those before the change.
base_keys := {key(object_) | some object_ in input.base}

# key identifies an object within its application: [type, namespace, name].
key(object_) := [workload.type(object_), namespace(object_), name(object_)]

name(object_) := found if {
	found := object_.metadata.name
	is_string(found)
} else := ""

# namespace is the object's, or that of the application where it names none.
namespace(object_) := found if {
	found := object_.metadata.namespace
	is_string(found)
	found != ""
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
	option in {"Prune=false", "Prune=confirm"}
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
	[scaler(object_, object_.spec.scaleTargetRef, "") | some object_ in of_type("autoscaling/HorizontalPodAutoscaler")],
	[scaler(object_, object_.spec.scaleTargetRef, "apps/v1") | some object_ in of_type("keda.sh/ScaledObject")],
)

scaler(object_, target, default_version) := {
	"object": object_,
	"namespace": namespace(object_),
	"type": sprintf("%s/%v", [workload.group({"apiVersion": version}), kind]),
	"name": target.name,
} if {
	is_object(target)
	version := object.get(target, "apiVersion", default_version)
	is_string(version)
	kind := object.get(target, "kind", "Deployment")
}

# scaled says whether a scaler sets the replicas of an object.
scaled(object_) if key(object_) in scaled_keys

scaled_keys := {[s.type, s.namespace, s.name] | some s in scalers}
