package kube

import (
	"encoding/base64"
	"maps"

	"github.com/mergegate/mergegate/internal/manifest"
)

// Prepare is a copy of a manifest as it is sent to a server: what server-side apply would trip over is
// brought into the form that the server itself stores. The same form is predicted and applied. In it
//
//   - the protocol of a container's and a Service's port is given, since it is part of the list's key
//     (structured-merge-diff#130);
//   - stringData of a Secret is in data, where the server puts it without telling the owner of the
//     field (kubernetes#108008);
//   - null timestamps of creation, which marshalled Go types have, are gone, here and in templates;
//   - status is gone, which a manifest cannot set;
//   - what a server fills in itself (uid, resourceVersion, generation, managedFields, selfLink) is gone;
//   - the rules of a ClusterRole that are aggregated from others are gone: a controller owns them.
func Prepare(content map[string]any) map[string]any {
	object := manifest.Clone(content).(map[string]any)
	delete(object, "status")
	if metadata, ok := object["metadata"].(map[string]any); ok {
		for _, field := range []string{"uid", "resourceVersion", "generation", "managedFields", "selfLink", "creationTimestamp"} {
			delete(metadata, field)
		}
	}
	dropNullTimestamps(object)
	version, kind := object["apiVersion"], object["kind"]
	switch {
	case version == "v1" && kind == "Secret":
		moveStringData(object)
	case version == "v1" && kind == "Service":
		defaultProtocols(at(object, "spec", "ports"))
	case kind == "ClusterRole" && object["aggregationRule"] != nil:
		delete(object, "rules")
	}
	if spec := PodSpec(object); spec != nil {
		for _, field := range []string{"containers", "initContainers", "ephemeralContainers"} {
			for _, c := range list(spec[field]) {
				defaultProtocols(at(c, "ports"))
			}
		}
	}
	return object
}

// PodSpec is the specification of the pods that an object of a built-in kind makes, or nil.
func PodSpec(object map[string]any) map[string]any {
	var spec any
	switch object["kind"] {
	case "Pod":
		spec = object["spec"]
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job":
		spec = at(object, "spec", "template", "spec")
	case "CronJob":
		spec = at(object, "spec", "jobTemplate", "spec", "template", "spec")
	case "PodTemplate":
		spec = at(object, "template", "spec")
	}
	fields, ok := spec.(map[string]any)
	if !ok || !builtIn(object["apiVersion"]) {
		return nil
	}
	return fields
}

func builtIn(version any) bool {
	switch version {
	case "v1", "apps/v1", "batch/v1":
		return true
	}
	return false
}

// at walks keys of maps; nil where there is nothing.
func at(v any, keys ...string) any {
	for _, key := range keys {
		fields, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = fields[key]
	}
	return v
}

func list(v any) []any {
	items, ok := v.([]any)
	if !ok {
		return nil
	}
	return items
}

func defaultProtocols(ports any) {
	for _, p := range list(ports) {
		if port, ok := p.(map[string]any); ok && port["protocol"] == nil {
			port["protocol"] = "TCP"
		}
	}
}

// moveStringData puts stringData into data, over what is there. A value of the wrong type stays, for
// the server to refuse.
func moveStringData(secret map[string]any) {
	clear, ok := secret["stringData"].(map[string]any)
	if !ok {
		if secret["stringData"] == nil {
			delete(secret, "stringData")
		}
		return
	}
	data, ok := secret["data"].(map[string]any)
	if !ok {
		if secret["data"] != nil {
			return
		}
		data = map[string]any{}
	}
	data = maps.Clone(data)
	for key, value := range clear {
		text, ok := value.(string)
		if !ok {
			return
		}
		data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	delete(secret, "stringData")
	if len(data) > 0 {
		secret["data"] = data
	}
}

// dropNullTimestamps removes every metadata.creationTimestamp that is null, at any depth.
func dropNullTimestamps(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if metadata, ok := value.(map[string]any); ok && key == "metadata" {
				if when, has := metadata["creationTimestamp"]; has && when == nil {
					delete(metadata, "creationTimestamp")
				}
			}
			dropNullTimestamps(value)
		}
	case []any:
		for _, item := range v {
			dropNullTimestamps(item)
		}
	}
}

// Comparable is a copy of an object as a server stores it, without what says nothing about the
// desired state: status, and the parts of metadata that the server counts or notes by itself.
func Comparable(object map[string]any) map[string]any {
	if object == nil {
		return nil
	}
	copied := maps.Clone(object)
	delete(copied, "status")
	if metadata, ok := object["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		for _, field := range []string{"uid", "resourceVersion", "generation", "managedFields", "selfLink", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"} {
			delete(metadata, field)
		}
		copied["metadata"] = metadata
	}
	return withoutNulls(copied).(map[string]any)
}

// withoutNulls is a copy without null fields: for a server a field that is null and one that is
// absent are the same.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, value := range v {
			if value != nil {
				copied[key] = withoutNulls(value)
			}
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, item := range v {
			copied[i] = withoutNulls(item)
		}
		return copied
	}
	return v
}
