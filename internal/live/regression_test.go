package live_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/clustertest"
	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/render"
)

func TestMain(m *testing.M) { os.Exit(clustertest.Main(m)) }

// stage is a namespace of a real cluster, and what mergegate says of changes in it.
type stage struct {
	*testing.T
	cluster    *clustertest.Cluster
	name       string // of the namespace, and in the names of what is in none
	kubeconfig string // of who asks
}

func newStage(t *testing.T) *stage {
	t.Helper()
	t.Parallel()
	c := clustertest.Start(t)
	return &stage{T: t, cluster: c, name: c.Namespace(t), kubeconfig: c.Kubeconfig}
}

// fill puts the name of the stage where a manifest says NAME.
func (s *stage) fill(text string) string { return strings.ReplaceAll(text, "NAME", s.name) }

// kubectl is what somebody does to the cluster.
func (s *stage) kubectl(input string, args ...string) string {
	s.Helper()
	return s.cluster.Kubectl(s, s.fill(input), append([]string{"-n", s.name}, args...)...)
}

// apply is what mergegate has applied before.
func (s *stage) apply(manifests ...string) {
	s.Helper()
	s.kubectl(strings.Join(manifests, "\n---\n"), "apply", "--server-side", "--field-manager", "mergegate", "-f", "-")
}

// ready waits until kubectl succeeds, or fails as it is wanted to.
func (s *stage) ready(failure, input string, args ...string) {
	s.Helper()
	deadline, tick := time.After(time.Minute), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		_, err := s.cluster.TryKubectl(s, s.fill(input), append([]string{"-n", s.name}, args...)...)
		if failure == "" && err == nil || failure != "" && err != nil && strings.Contains(err.Error(), failure) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.Fatalf("waited in vain for kubectl %v to end with %q: %v", args, failure, err)
		}
	}
}

// as lets somebody else ask: a user with the permissions that a Role in the namespace and the
// namespace's objects give.
func (s *stage) as(rules string) {
	s.Helper()
	user := "user-" + s.name
	s.kubectl(fmt.Sprintf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: NAME-discovery}
rules: [{apiGroups: [admissionregistration.k8s.io], resources: ["*"], verbs: [list]}, {apiGroups: [""], resources: [namespaces], verbs: [list, create, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: NAME-discovery}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME-discovery}
subjects: [{kind: User, name: %[1]s}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: asks}
rules: %[2]s
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: asks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: asks}
subjects: [{kind: User, name: %[1]s}]
`, user, rules), "apply", "-f", "-")
	s.ready("", "", "auth", "can-i", "list", "mutatingwebhookconfigurations", "--as", user)
	var config map[string]any
	data, err := os.ReadFile(s.cluster.Kubeconfig)
	if err == nil {
		err = yaml.Unmarshal(data, &config)
	}
	if err != nil {
		s.Fatal(err)
	}
	config["users"].([]any)[0].(map[string]any)["user"].(map[string]any)["as"] = user
	if data, err = yaml.Marshal(config); err != nil {
		s.Fatal(err)
	}
	s.kubeconfig = filepath.Join(s.TempDir(), "kubeconfig")
	if err := os.WriteFile(s.kubeconfig, data, 0o600); err != nil {
		s.Fatal(err)
	}
}

// object is a manifest as it is rendered.
func (s *stage) object(text string) *manifest.Object {
	s.Helper()
	if text == "" {
		return nil
	}
	objects, err := render.Decode("a.yaml", []byte(s.fill(text)))
	if err != nil || len(objects) != 1 {
		s.Fatalf("%d objects, %v in %s", len(objects), err, text)
	}
	o := objects[0]
	if metadata := o.Content["metadata"].(map[string]any); o.ID.Namespace == "" && !slices.Contains([]string{"Namespace", "CustomResourceDefinition", "ClusterRole"}, o.ID.Kind) {
		o.ID.Namespace, metadata["namespace"] = s.name, s.name
	}
	return &o
}

// change is one object on both sides.
type change struct{ base, head string }

// predict is what mergegate finds out about changes.
func (s *stage) predict(changes ...change) (*live.Prediction, *diff.Masker) {
	s.Helper()
	var rows []live.Row
	m := diff.NewMasker()
	for _, c := range changes {
		row := live.Row{Base: s.object(c.base), Head: s.object(c.head)}
		for _, o := range []*manifest.Object{row.Base, row.Head} {
			if o != nil {
				m.Learn(manifest.Set{*o}) // as the pipeline does with everything that is rendered
			}
		}
		rows = append(rows, row)
	}
	return s.predictRows(m, rows), m
}

func (s *stage) predictRows(m *diff.Masker, rows []live.Row) *live.Prediction {
	s.Helper()
	all, err := cluster.FromKubeconfig(s.kubeconfig, "", cluster.Settings{Patience: 3 * time.Second})
	if err != nil {
		s.Fatal(err)
	}
	api, err := all.Open(all.Resolve(""))
	if err != nil {
		s.Fatal(err)
	}
	p := live.Predict(s.Context(), api, rows, live.Options{})
	p.Learn(m)
	return p
}

// ask is what mergegate says of changes.
func (s *stage) ask(changes ...change) []live.Answer {
	s.Helper()
	p, m := s.predict(changes...)
	return p.Results(m)
}

// expect checks the answer to one change: its result, and what its reason holds.
func (s *stage) expect(want plan.Result, reason string, a live.Answer) {
	s.Helper()
	if a.Result != want || !strings.Contains(a.Reason, s.fill(reason)) || (want == plan.Unknown) != a.Fault {
		s.Errorf("got %s (%s), want %s (%s)", a.Result, text(a.Live), want, reason)
	}
	if (want == plan.Rejected || want == plan.Unknown || want == plan.WillReplace) && a.Reason == "" {
		s.Errorf("%s without a reason", want)
	}
}

// expectFields checks the places of fields.
func (s *stage) expectFields(what string, fields []plan.Field, want ...string) {
	s.Helper()
	var have []string
	for _, f := range fields {
		have = append(have, f.Path)
	}
	if slices.Sort(have); !slices.Equal(have, want) {
		s.Errorf("%s: got %q, want %q", what, have, want)
	}
}

// hides checks that nothing of a prediction shows any of some values, clear or in base64.
func (s *stage) hides(values []string, changes ...change) []live.Answer {
	s.Helper()
	p, m := s.predict(changes...)
	before := fmt.Sprintf("%v %+v %#v %s", p, p, p, text(p))
	answers := p.Results(m)
	after := fmt.Sprintf("%v %+v %#v %s %s", answers, answers, answers, text(answers), p.Err(m))
	for _, v := range values {
		for _, form := range []string{v, base64Of(v)} {
			if strings.Contains(before, form) {
				s.Errorf("the prediction shows %q", form)
			}
			if at := strings.Index(after, form); at >= 0 {
				s.Errorf("the answers show %q: %s", form, after[max(0, at-200):min(len(after), at+100)])
			}
		}
	}
	return answers
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// remove deletes what is in no namespace, when the test's context is over.
func (s *stage) remove(kinds string) {
	s.Helper()
	remove := exec.Command(clustertest.Binary(s), "kubectl", "--kubeconfig", s.cluster.Kubeconfig, "delete", "--ignore-not-found", kinds, s.name) //nolint:noctx // see above
	if said, err := remove.CombinedOutput(); err != nil {
		s.Errorf("remove %s: %v: %s", kinds, err, said)
	}
}
