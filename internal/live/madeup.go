package live

import (
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/manifest"
)

// withoutMadeUp takes out of what a dry run gives the values that the server makes up anew each time: the
// addresses and ports that it gives to a Service, the identity of a Job, the name of the volume of a
// pod's token. What will be is another value, and two predictions would differ. sent is what was asked
// for, live what is there and stays; nil: nothing is.
func withoutMadeUp(id manifest.ID, content, sent, live map[string]any) {
	switch {
	case id.Group == "" && id.Kind == "Service":
		withoutAllocated(fields(content, "spec"), fields(sent, "spec"), fields(live, "spec"))
	case id.Group == "batch" && id.Kind == "Job" && live == nil:
		spec := fields(content, "spec")
		for _, labels := range []map[string]any{fields(content, "metadata", "labels"), fields(spec, "template", "metadata", "labels"), fields(spec, "selector", "matchLabels")} {
			delete(labels, "controller-uid")
			delete(labels, "batch.kubernetes.io/controller-uid")
		}
	case id.Group == "" && id.Kind == "Pod" && live == nil:
		spec := fields(content, "spec")
		plainTokenVolumes(spec["volumes"])
		for _, field := range []string{"containers", "initContainers"} {
			for _, c := range items(spec[field]) {
				plainTokenVolumes(fields(c)["volumeMounts"])
			}
		}
	}
}

func withoutAllocated(spec, sent, live map[string]any) {
	for _, field := range []string{"clusterIP", "clusterIPs", "healthCheckNodePort"} {
		if sent[field] == nil && live[field] == nil && sent["clusterIP"] == nil && spec["clusterIP"] != "None" {
			delete(spec, field)
		}
	}
	known := append(slices.Clone(items(sent["ports"])), items(live["ports"])...)
	for _, port := range items(spec["ports"]) {
		number := fields(port)["nodePort"]
		given := slices.ContainsFunc(known, func(p any) bool { return diff.EqualValues(fields(p)["nodePort"], number) })
		if number != nil && !given {
			delete(fields(port), "nodePort")
		}
	}
}

// tokenVolume is how the names of the volumes begin that admission adds to a pod.
const tokenVolume = "kube-api-access-"

func plainTokenVolumes(list any) {
	for _, item := range items(list) {
		if m := fields(item); strings.HasPrefix(text(m["name"]), tokenVolume) {
			m["name"] = strings.TrimSuffix(tokenVolume, "-")
		}
	}
}
