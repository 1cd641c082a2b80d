package cluster_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/clustertest"
	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

func TestMain(m *testing.M) { os.Exit(clustertest.Main(m)) }

// scene is a change whose right answers are known, and the cluster that it meets.
type scene struct {
	cluster *clustertest.Cluster
	name    string // of its namespace, and in the names of what is in none
	rows    []live.Row
	what    []string      // each row, in words
	want    []plan.Result // of each row
}

// newScene puts up a cluster in which every kind of answer occurs.
func newScene(t *testing.T) *scene {
	t.Helper()
	c := clustertest.Start(t)
	s := &scene{cluster: c, name: c.Namespace(t)}
	s.setUp(t)
	s.add("create", plan.WillCreate, "", configMap("created", "a: one"))
	s.add("update", plan.WillUpdate, configMap("updated", "a: one"), configMap("updated", "a: two"))
	s.add("none", plan.NoEffect, configMap("same", "a: one"), configMap("same", "a: one"))
	s.add("none, and drifted", plan.WillUpdate, configMap("drifted", "a: one"), configMap("drifted", "a: one"))
	s.add("replace", plan.WillReplace, "immutable: true\n"+configMap("fixed", "a: one"), "immutable: true\n"+configMap("fixed", "a: two"))
	s.add("adopt", plan.WillAdopt, "", configMap("adopted", "a: two"))
	s.add("delete", plan.WillDelete, configMap("deleted", "a: one"), "")
	s.add("delete with a cascade", plan.WillDelete, definition("Gone", s.name), "")
	s.add("rejected by quota", plan.Rejected, "", `{apiVersion: v1, kind: Service, metadata: {name: late}, spec: {ports: [{port: 80}]}}`)
	s.add("fits into a quota", plan.WillCreate, "", claim("first"))
	s.add("rejected by quota, together with another", plan.Rejected, "", claim("second"))
	s.add("rejected by policy", plan.Rejected, "", `{apiVersion: v1, kind: ConfigMap, metadata: {name: denied, labels: {denied: "yes"}}}`)
	s.add("rejected by validation", plan.Rejected, "", `{apiVersion: v1, kind: ServiceAccount, metadata: {name: UPPER}}`)
	s.add("new namespace", plan.WillCreate, "", fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s-new}}", s.name))
	s.add("in a new namespace", plan.WillCreate, "", fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: inside, namespace: %s-new}}", s.name))
	s.add("invalid in a new namespace", plan.Rejected, "", fmt.Sprintf("{apiVersion: apps/v1, kind: Deployment, metadata: {name: inside, namespace: %s-new}, spec: {replicas: many}}", s.name))
	s.add("definition", plan.WillCreate, "", definition("Fresh", s.name))
	s.add("custom resource with it", plan.WillCreate, "", custom("Fresh", s.name, "fresh", "1"))
	s.add("invalid custom resource with it", plan.Rejected, "", custom("Fresh", s.name, "wrong", "many"))
	return s
}

func configMap(name, data string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {%s}\n", name, data)
}

func claim(name string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: %s}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}", name)
}

func definition(kind, name string) string {
	plural, group := strings.ToLower(kind)+"s", name+".example.com"
	return fmt.Sprintf(`{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: %s.%s}, spec: {group: %[2]s, scope: Namespaced,
  names: {plural: %[1]s, kind: %[3]s}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object,
  properties: {spec: {type: object, properties: {size: {type: integer}}}}}}}]}}`, plural, group, kind)
}

func custom(kind, group, name, size string) string {
	return fmt.Sprintf("{apiVersion: %s.example.com/v1, kind: %s, metadata: {name: %s}, spec: {size: %s}}", group, kind, name, size)
}

// setUp creates what is live.
func (s *scene) setUp(t *testing.T) {
	t.Helper()
	s.apply(t, configMap("updated", "a: one"), configMap("same", "a: one"), configMap("drifted", "a: one"),
		"immutable: true\n"+configMap("fixed", "a: one"), configMap("deleted", "a: one"), definition("Gone", s.name),
		`{apiVersion: v1, kind: Service, metadata: {name: early}, spec: {ports: [{port: 80}]}}`,
		`{apiVersion: v1, kind: ResourceQuota, metadata: {name: few}, spec: {hard: {services: "1", persistentvolumeclaims: "1"}}}`)
	s.cluster.Kubectl(t, configMap("adopted", "a: one"), "-n", s.name, "create", "-f", "-")
	s.cluster.Kubectl(t, "", "-n", s.name, "patch", "configmap", "drifted", "-p", `{"data":{"a":"by hand"}}`)
	s.policy(t)
	s.until(t, "the definition is served", func() error {
		_, err := s.cluster.TryKubectl(t, custom("Gone", s.name, "one", "1"), "-n", s.name, "apply", "-f", "-")
		return err
	})
	s.until(t, "the quota is counted", func() error {
		_, err := s.cluster.TryKubectl(t, "", "-n", s.name, "create", "service", "clusterip", "late", "--tcp=80", "--dry-run=server")
		return refusedWith(err, "exceeded quota")
	})
}

func (s *scene) policy(t *testing.T) {
	t.Helper()
	s.cluster.Kubectl(t, fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %[1]s}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}
  validations: [{expression: "!has(object.metadata.labels) || !('denied' in object.metadata.labels)", message: denied as it says}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: %[1]s}
spec: {policyName: %[1]s, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}}}
`, s.name), "apply", "-f", "-")
	t.Cleanup(func() { // the test's context is over by then
		remove := exec.Command(clustertest.Binary(t), "kubectl", "--kubeconfig", s.cluster.Kubeconfig, "delete", //nolint:noctx // see above
			"validatingadmissionpolicies,validatingadmissionpolicybindings", s.name)
		if said, err := remove.CombinedOutput(); err != nil {
			t.Errorf("remove the policy: %v: %s", err, said)
		}
	})
	s.until(t, "the policy denies", func() error {
		_, err := s.cluster.TryKubectl(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: denied, labels: {denied: "yes"}}}`,
			"-n", s.name, "create", "-f", "-", "--dry-run=server")
		return refusedWith(err, "denied as it says")
	})
}

func refusedWith(err error, text string) error {
	if err == nil || !strings.Contains(err.Error(), text) {
		return fmt.Errorf("not yet: %w", err)
	}
	return nil
}

// apply applies manifests as mergegate does.
func (s *scene) apply(t *testing.T, manifests ...string) {
	t.Helper()
	s.cluster.Kubectl(t, strings.Join(manifests, "\n---\n"), "-n", s.name, "apply", "--server-side", "--field-manager", "mergegate", "-f", "-")
}

func (s *scene) until(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for err := try(); err != nil; err = try() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s: %v", what, err)
		}
	}
}

// add adds a row. A side that has no manifest does not have the object.
func (s *scene) add(what string, want plan.Result, base, head string) {
	s.rows = append(s.rows, live.Row{Base: s.object(base), Head: s.object(head)})
	s.what, s.want = append(s.what, what), append(s.want, want)
}

func (s *scene) object(text string) *manifest.Object {
	if text == "" {
		return nil
	}
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		panic(fmt.Sprintf("%v in %s", err, text))
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var content map[string]any
	if err := d.Decode(&content); err != nil {
		panic(err)
	}
	metadata := content["metadata"].(map[string]any)
	group, version, ok := strings.Cut(content["apiVersion"].(string), "/")
	if !ok {
		group, version = "", group
	}
	kind := content["kind"].(string)
	if metadata["namespace"] == nil && kind != "Namespace" && kind != "CustomResourceDefinition" {
		metadata["namespace"] = s.name
	}
	namespace, _ := metadata["namespace"].(string)
	return &manifest.Object{ID: manifest.ID{Group: group, Version: version, Kind: kind, Namespace: namespace, Name: metadata["name"].(string)}, Content: content}
}

// short are settings under which a test does not wait long.
var short = cluster.Settings{Timeout: time.Second, Patience: 700 * time.Millisecond}

// open is the cluster of a kubeconfig.
func open(t *testing.T, kubeconfig string, s cluster.Settings) *cluster.Cluster {
	t.Helper()
	all, err := cluster.FromKubeconfig(kubeconfig, "", s)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := all.Open(all.Resolve(""))
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// predict is what a cluster says of the scene, masked by a masker of its own.
func (s *scene) predict(t *testing.T, api live.API, o live.Options) ([]live.Answer, string) {
	t.Helper()
	p := live.Predict(t.Context(), api, s.rows, o)
	m := diff.NewMasker()
	p.Learn(m)
	return p.Results(m), p.Err(m)
}

// atOnce runs subtests at the same time, however many. They wait most of the time, and -parallel is for
// those that work.
func atOnce[T any](t *testing.T, tests map[string]T, run func(*testing.T, string, T)) {
	t.Helper()
	var group sync.WaitGroup
	for name, test := range tests {
		group.Go(func() { t.Run(name, func(t *testing.T) { run(t, name, test) }) })
	}
	group.Wait()
}
