package cluster_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/render"
)

const (
	deployment = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: sample, namespace: kinds},
  spec: {replicas: 2, selector: {matchLabels: {app: sample}}, template: {metadata: {labels: {app: sample}}, spec: {containers: [{name: a, image: b}]}}}}`
	sampleMap   = `{apiVersion: v1, kind: ConfigMap, metadata: {name: sample, namespace: kinds}, data: {a: one}}`
	freshObject = `{apiVersion: fresh.example.com/v1, kind: Fresh, metadata: {name: fresh, namespace: kinds}, spec: {size: 1}}`
	freshKind   = `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: freshes.fresh.example.com}, spec: {
  group: fresh.example.com, scope: Namespaced, names: {plural: freshes, kind: Fresh}, versions: [{name: v1, served: true, storage: true,
  schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}]}}`
)

func (g *guarded) samePredictions(t *testing.T) {
	changes := []struct {
		what       string
		base, head string
		preview    plan.Result // where it is not the administrator's
	}{
		{"a Deployment is changed", "", deployment, ""},
		{"a ConfigMap is created", "", `{apiVersion: v1, kind: ConfigMap, metadata: {name: fresh, namespace: kinds}}`, ""},
		{"a ConfigMap is as it was", sampleMap, sampleMap, ""},
		{"a ConfigMap is deleted", sampleMap, "", ""},
		{"a Secret is changed", "", `{apiVersion: v1, kind: Secret, metadata: {name: sample, namespace: kinds}, stringData: {a: two}}`, ""},
		{"a Service is replaced", "", `{apiVersion: v1, kind: Service, metadata: {name: sample, namespace: kinds}, spec: {clusterIP: 10.96.7.7, ports: [{port: 80}]}}`, ""},
		{"a Service is refused", "", `{apiVersion: v1, kind: Service, metadata: {name: wrong, namespace: kinds}, spec: {ports: [{port: 800000}]}}`, ""},
		{"a Namespace is created", "", `{apiVersion: v1, kind: Namespace, metadata: {name: fresh}}`, ""},
		{"something in it, too", "", `{apiVersion: v1, kind: ConfigMap, metadata: {name: inside, namespace: fresh}}`, ""},
		{"a Namespace is deleted", `{apiVersion: v1, kind: Namespace, metadata: {name: kinds}}`, "", ""},
		{"a definition is created", "", freshKind, ""},
		{"and an object of it", "", freshObject, ""},
		{"a definition is deleted", `{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: samples.example.com}}`, "", ""},
		{"a custom resource is changed", "", `{apiVersion: example.com/v1, kind: Sample, metadata: {name: sample, namespace: kinds}, spec: {size: 2}}`, ""},
		{"a Role grants what the identity holds", "", role("small", "list"), ""},
		{"a Role grants more", "", role("large", "deletecollection"), plan.Unknown},
		{"a policy is created", "", `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicyBinding, metadata: {name: fresh},
  spec: {policyName: sample, validationActions: [Deny]}}`, plan.Unknown},
		{"webhooks are created", "", `{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: fresh}}`, ""},
		{"a Node is created", "", `{apiVersion: v1, kind: Node, metadata: {name: fresh}}`, plan.Unknown},
	}
	rows := make([]live.Row, len(changes))
	for i, c := range changes {
		rows[i] = live.Row{Base: object(t, c.base), Head: object(t, c.head)}
	}
	before := g.settled(t)
	admin := answersOf(t, connected(t, g.cluster.Kubeconfig), rows)
	preview := answersOf(t, connected(t, g.kubeconfig(t, g.preview)), rows)
	for i, r := range changes {
		t.Logf("%s: %s %s", r.what, admin[i].Result, admin[i].Reason)
		if r.preview != "" {
			if preview[i].Result != r.preview || preview[i].Reason == "" || admin[i].Result == r.preview {
				t.Errorf("%s: %s (%s), an administrator is told %s", r.what, preview[i].Result, preview[i].Reason, admin[i].Result)
			}
			t.Logf("  and the preview identity: %s", preview[i].Reason)
			continue
		}
		if d := cmp.Diff(admin[i], preview[i]); d != "" {
			t.Errorf("%s (-administrator +preview identity):\n%s", r.what, d)
		}
		if admin[i].Result == plan.Unknown {
			t.Errorf("%s: %s", r.what, admin[i].Reason)
		}
		spec, _ := admin[i].After["spec"].(map[string]any)
		if addresses, ok := spec["clusterIPs"].([]any); ok && addresses[0] != spec["clusterIP"] {
			t.Errorf("%s: a Service at %v has the addresses %v", r.what, spec["clusterIP"], addresses)
		}
	}
	if changed := cmp.Diff(before, g.everything(t, g.admin)); changed != "" {
		t.Errorf("the cluster is not what it was (-before +after):\n%s", changed)
	}
}

func role(name, verb string) string {
	return `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: ` + name + `, namespace: kinds}, rules: [{apiGroups: [""], resources: [configmaps], verbs: [` + verb + `]}]}`
}

func object(t *testing.T, text string) *manifest.Object {
	t.Helper()
	if text == "" {
		return nil
	}
	found, err := render.Decode("object.yaml", []byte(text))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d objects, %v in %s", len(found), err, text)
	}
	return &found[0]
}

func connected(t *testing.T, kubeconfig string) *cluster.Cluster {
	t.Helper()
	all, err := cluster.FromKubeconfig(kubeconfig, "", cluster.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := all.Open(all.Resolve(""))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func answersOf(t *testing.T, api live.API, rows []live.Row) []live.Answer {
	t.Helper()
	p := live.Predict(t.Context(), api, rows, live.Options{})
	m := diff.NewMasker()
	p.Learn(m)
	return p.Results(m)
}
