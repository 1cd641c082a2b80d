package kube

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var content map[string]any
	if !decode(string(data), &content) {
		t.Fatalf("no object: %s", data)
	}
	return content
}

func TestPrepare(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"ports of containers": {
			"apiVersion: v1\nkind: Pod\nspec: {initContainers: [{ports: [{containerPort: 1}]}], containers: [{ports: [{containerPort: 2, protocol: UDP}, {containerPort: 3, protocol: null}]}]}",
			"apiVersion: v1\nkind: Pod\nspec: {initContainers: [{ports: [{containerPort: 1, protocol: TCP}]}], containers: [{ports: [{containerPort: 2, protocol: UDP}, {containerPort: 3, protocol: TCP}]}]}",
		},
		"ports of a job's containers": {
			"apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{ports: [{containerPort: 1}]}]}}}}}",
			"apiVersion: batch/v1\nkind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{ports: [{containerPort: 1, protocol: TCP}]}]}}}}}",
		},
		"a custom resource is left alone": {
			"apiVersion: example.com/v1\nkind: Pod\nspec: {containers: [{ports: [{containerPort: 1}]}]}",
			"apiVersion: example.com/v1\nkind: Pod\nspec: {containers: [{ports: [{containerPort: 1}]}]}",
		},
		"ports of a service":    {"apiVersion: v1\nkind: Service\nspec: {ports: [{port: 1}]}", "apiVersion: v1\nkind: Service\nspec: {ports: [{port: 1, protocol: TCP}]}"},
		"stringData":            {"apiVersion: v1\nkind: Secret\nstringData: {a: b}\ndata: {c: ZA==}", "apiVersion: v1\nkind: Secret\ndata: {a: Yg==, c: ZA==}"},
		"stringData of numbers": {"apiVersion: v1\nkind: Secret\nstringData: {a: 1}", "apiVersion: v1\nkind: Secret\nstringData: {a: 1}"},
		"stringData, bad data":  {"apiVersion: v1\nkind: Secret\nstringData: {a: b}\ndata: [x]", "apiVersion: v1\nkind: Secret\nstringData: {a: b}\ndata: [x]"},
		"null stringData":       {"apiVersion: v1\nkind: Secret\nstringData: null", "apiVersion: v1\nkind: Secret"},
		"status and counters": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, uid: u, resourceVersion: '1', generation: 2, managedFields: [], selfLink: x, creationTimestamp: null}\nstatus: {}",
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}",
		},
		"timestamps of templates": {
			"apiVersion: apps/v1\nkind: Deployment\nspec: {template: {metadata: {creationTimestamp: null, labels: {a: b}}}}",
			"apiVersion: apps/v1\nkind: Deployment\nspec: {template: {metadata: {labels: {a: b}}}}",
		},
		"aggregated rules": {
			"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\naggregationRule: {}\nrules: [{verbs: [get]}]",
			"apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\naggregationRule: {}",
		},
		"shapes that are wrong": {
			"apiVersion: v1\nkind: Pod\nspec: {containers: [7, {ports: x}], initContainers: {a: b}}\nmetadata: []",
			"apiVersion: v1\nkind: Pod\nspec: {containers: [7, {ports: x}], initContainers: {a: b}}\nmetadata: []",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := object(t, tt.in)
			got := Prepare(in)
			if diff := cmp.Diff(object(t, tt.want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(object(t, tt.in), in); diff != "" {
				t.Errorf("what was given is modified:\n%s", diff)
			}
		})
	}
}

func TestComparable(t *testing.T) {
	got := Comparable(object(t, "metadata: {name: a, uid: u, resourceVersion: '1', managedFields: [{}], labels: null}\nspec: {a: null, b: [{c: null}], d: {}, e: []}\nstatus: {x: y}"))
	want := object(t, "metadata: {name: a}\nspec: {b: [{}], d: {}, e: []}")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("null is absent, empty is not: -want +got:\n%s", diff)
	}
	if Comparable(nil) != nil {
		t.Error("nothing became something")
	}
}

func TestOwns(t *testing.T) {
	managed := object(t, `
metadata:
  labels: {app: web}
  managedFields:
  - manager: kubectl
    operation: Update
    subresource: scale
    fieldsV1: {"f:spec": {"f:replicas": {}}}
  - manager: mergegate
    operation: Apply
    apiVersion: apps/v1
    time: "2026-01-01T00:00:00Z"
    fieldsV1:
      "f:metadata": {"f:labels": {"f:app": {}}}
      "f:spec":
        "f:selector": {}
        "f:containers":
          'k:{"name":"web"}': {".": {}, "f:image": {}, "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}}}}
        "f:finalizers": {'v:"a"': {}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  containers: [{name: other, image: x}, {name: web, image: y, ports: [{containerPort: 80}]}]
  finalizers: [b, a]
`)
	managers := Managers(managed)
	if len(managers) != 2 || managers[0].Ours() || !managers[1].Ours() || managers[1].Time != "2026-01-01T00:00:00Z" {
		t.Fatalf("got %+v", managers)
	}
	for pointer, want := range map[string][2]bool{
		"/spec/replicas":                           {true, false},
		"/spec/selector/matchLabels/app":           {false, true}, // owned as a whole
		"/spec/containers/0/image":                 {false, false},
		"/spec/containers/1/image":                 {false, true},
		"/spec/containers/1":                       {false, true},
		"/spec/containers/1/ports/0/containerPort": {false, false}, // the item is ours, its key is nobody's
		"/spec/containers/1/ports/0":               {false, true},
		"/spec/containers/7":                       {false, false},
		"/spec/containers/x":                       {false, false},
		"/spec/finalizers/0":                       {false, false},
		"/spec/finalizers/1":                       {false, true},
		"/metadata/labels/app":                     {false, true},
		"/metadata/labels/app~1x":                  {false, false},
		"/nothing":                                 {false, false},
	} {
		for i, m := range managers {
			if got := m.Owns(managed, pointer); got != want[i] {
				t.Errorf("%s owns %s: %v", m.Name, pointer, got)
			}
		}
	}
}

// FuzzManagers reads managedFields as a hostile server could send them.
func FuzzManagers(f *testing.F) {
	f.Add(`{"metadata":{"managedFields":[{"manager":"m","fieldsV1":{"f:a":{"k:{\"n\":1}":{"f:b":{}}}}}]},"a":[{"n":1,"b":2}]}`, "/a/0/b")
	f.Add(`{"metadata":{"managedFields":[{"fieldsV1":{"k:":{},"v:":{},"f:":{}}},7]}}`, "//0/~2")
	f.Fuzz(func(t *testing.T, text, pointer string) {
		var content map[string]any
		if !decode(text, &content) {
			return
		}
		for _, m := range Managers(content) {
			m.Owns(content, pointer)
			for member := range m.Fields {
				m.Fields.Find(member, content)
			}
			m.Controller()
		}
		if _, err := json.Marshal(Prepare(content)); err != nil {
			t.Error(err)
		}
	})
}
