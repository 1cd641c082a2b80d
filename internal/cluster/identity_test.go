package cluster_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/clustertest"
)

const (
	policyName = "mergegate-preview-only-dry-runs"
	previewer  = "mergegate-preview"
	applier    = "mergegate-apply"
)

// unseen are the resources of which Kubernetes shows a ValidatingAdmissionPolicy nothing. RBAC is all
// that keeps the preview identity from them. deploy/cluster/README.md has the same table.
var unseen = map[string]string{
	"validatingadmissionpolicies.admissionregistration.k8s.io":        "",
	"validatingadmissionpolicies.admissionregistration.k8s.io/status": "",
	"validatingadmissionpolicybindings.admissionregistration.k8s.io":  "",
	"mutatingadmissionpolicies.admissionregistration.k8s.io":          "",
	"mutatingadmissionpolicybindings.admissionregistration.k8s.io":    "",
	"selfsubjectreviews.authentication.k8s.io":                        questions,
	"tokenreviews.authentication.k8s.io":                              questions,
	"localsubjectaccessreviews.authorization.k8s.io":                  questions,
	"selfsubjectaccessreviews.authorization.k8s.io":                   questions,
	"selfsubjectrulesreviews.authorization.k8s.io":                    questions,
	"subjectaccessreviews.authorization.k8s.io":                       questions,
}

// questions are of resources that are created to ask something, and never kept.
const questions = "changes nothing"

// unpredictable are the kinds that the preview identity may not even try. A row of one is unknown.
var unpredictable = []string{
	"bindings", "events", "nodes", // nobody has them in a repository
	"certificatesigningrequests.certificates.k8s.io",
	"csinodes.storage.k8s.io", "events.events.k8s.io", "resourceslices.resource.k8s.io", "volumeattachments.storage.k8s.io",
	"localsubjectaccessreviews.authorization.k8s.io", "subjectaccessreviews.authorization.k8s.io", "tokenreviews.authentication.k8s.io",
	// what the policy does not see
	"mutatingadmissionpolicies.admissionregistration.k8s.io", "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
	"validatingadmissionpolicies.admissionregistration.k8s.io", "validatingadmissionpolicybindings.admissionregistration.k8s.io",
}

// guarded is a cluster with the identities of deploy/cluster, and an object of every kind.
type guarded struct {
	*server
	cluster                 *clustertest.Cluster
	admin, preview, rollout string // tokens
	requests                []attempt
}

// attempt is a request about a resource.
type attempt struct {
	resource resource
	request  request
}

// attempts are all requests that could change something. They stay what they are as long as nothing
// is changed by one.
func (g *guarded) attempts(t *testing.T) []attempt {
	t.Helper()
	if g.requests != nil {
		return g.requests
	}
	for _, r := range g.resources(t, g.admin) {
		for _, q := range g.writes(t, g.admin, r) {
			q.what = strings.TrimSuffix(fmt.Sprintf("%s %s in %s: %s", q.verb, r, r.apiVersion(), q.what), ": ")
			g.requests = append(g.requests, attempt{resource: r, request: q})
		}
	}
	if len(g.requests) < 600 {
		t.Errorf("only %d requests are known", len(g.requests))
	}
	return g.requests
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	c := clustertest.New(t, clustertest.Options{ControlPlaneOnly: true})
	g := &guarded{server: newServer(t, c), cluster: c}
	c.Kubectl(t, "", "apply", "-k", filepath.Join("..", "..", "deploy", "cluster"))
	c.Kubectl(t, "", "-n", "kube-system", "create", "serviceaccount", "admin")
	c.Kubectl(t, "", "create", "clusterrolebinding", "admin", "--clusterrole=cluster-admin", "--serviceaccount=kube-system:admin")
	g.admin = g.token(t, "kube-system", "admin")
	g.preview, g.rollout = g.token(t, "mergegate", previewer), g.token(t, "mergegate", applier)
	within(t, "there is an object of every kind", func() error {
		_, err := c.TryKubectl(t, "", "apply", "--server-side", "-f", filepath.Join("testdata", "kinds.yaml"))
		return err
	})
	// A patch that changes nothing even where it is let through.
	probe := request{method: http.MethodPatch, path: "/api/v1/namespaces/kinds/configmaps/sample", content: merge, body: "{}"}
	within(t, "the policy is in force", func() error {
		return denied(g.send(t, g.preview, probe))
	})
	return g
}

func (g *guarded) token(t *testing.T, namespace, account string) string {
	t.Helper()
	return strings.TrimSpace(g.cluster.Kubectl(t, "", "-n", namespace, "create", "token", account))
}

func within(t *testing.T, what string, try func() error) {
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

// denied is nil for a refusal by the policy.
func denied(a answer) error {
	if a.code == http.StatusForbidden && strings.Contains(a.message, policyName) {
		return nil
	}
	return fmt.Errorf("%d %s", a.code, a.message)
}

// forbidden is nil for a refusal by RBAC.
func forbidden(a answer) error {
	if a.code == http.StatusForbidden && strings.Contains(a.message, `User "system:serviceaccount:mergegate:mergegate-preview" cannot`) {
		return nil
	}
	return fmt.Errorf("%d %s", a.code, a.message)
}

// every calls a function for each request that could change something, and fails when something has
// changed after all of them.
func (g *guarded) every(t *testing.T, try func(resource, request)) {
	t.Helper()
	before := g.settled(t)
	for _, a := range g.attempts(t) {
		try(a.resource, a.request)
	}
	if changed := cmp.Diff(before, g.everything(t, g.admin)); changed != "" {
		t.Errorf("the cluster is not what it was (-before +after):\n%s", changed)
	}
	t.Logf("%d requests, %d objects", len(g.attempts(t)), len(before))
}

// settled is the state once the server has written down what it does by itself after its start.
func (g *guarded) settled(t *testing.T) map[string]string {
	t.Helper()
	state := g.everything(t, g.admin)
	within(t, "the cluster is at rest", func() error {
		last := state
		if state = g.everything(t, g.admin); !maps.Equal(last, state) {
			return fmt.Errorf("it moves: %s", cmp.Diff(last, state))
		}
		return nil
	})
	return state
}

func TestIdentities(t *testing.T) {
	g := newGuarded(t)
	t.Run("the preview identity cannot write", g.cannotWrite)
	t.Run("the preview identity can preview", g.canPreview)
	t.Run("predictions are those of an administrator", g.samePredictions)
	t.Run("the apply identity applies and deletes", g.canApply)
	t.Run("the policy alone is enough", g.policyAlone)
}

func (g *guarded) cannotWrite(t *testing.T) {
	g.every(t, func(r resource, q request) {
		a := g.send(t, g.preview, q)
		if strings.HasPrefix(r.name, "selfsubject") { // everybody may ask what he may do
			return
		}
		if denied(a) != nil && forbidden(a) != nil {
			t.Errorf("%s: %d %s", q.what, a.code, a.message)
		}
	})
}

func (g *guarded) canPreview(t *testing.T) {
	var refused []string
	g.every(t, func(r resource, q request) {
		q.dryRun = true
		a := g.send(t, g.preview, q)
		wanted := r.sub == "" && (q.verb == "patch" || q.verb == "create")
		// The custom resource's subresources come with "*" for its group.
		wanted = wanted || r.group == "example.com" && q.verb == "patch"
		switch {
		case wanted && a.code == http.StatusForbidden:
			refused = append(refused, r.String())
		case wanted && !a.accepted():
			t.Errorf("%s: %d %s", q.what, a.code, a.message)
		case !wanted && forbidden(a) != nil:
			t.Errorf("%s needs no permission and has one: %d %s", q.what, a.code, a.message)
		}
	})
	slices.Sort(refused)
	if diff := cmp.Diff(slices.Sorted(slices.Values(unpredictable)), slices.Compact(refused)); diff != "" {
		t.Errorf("what cannot be previewed (-documented +found):\n%s", diff)
	}
}

func (g *guarded) canApply(t *testing.T) {
	config := g.kubeconfig(t, g.rollout)
	applied := `{apiVersion: v1, kind: ConfigMap, metadata: {name: rolled-out, namespace: kinds}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: rolled-out}, rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]}
`
	as := *g.cluster
	as.Kubeconfig = config
	as.Kubectl(t, applied, "apply", "--server-side", "-f", "-")
	as.Kubectl(t, applied, "delete", "-f", "-")
	as.Kubeconfig = g.kubeconfig(t, g.preview)
	as.Kubectl(t, applied[:strings.Index(applied, "---")], "apply", "--server-side", "--dry-run=server", "-f", "-")
	_, err := as.TryKubectl(t, applied[:strings.Index(applied, "---")], "apply", "--server-side", "-f", "-")
	if err == nil || !strings.Contains(err.Error(), "mergegate-preview may only preview") {
		t.Errorf("the preview identity is not told why it cannot apply: %v", err)
	}
}

// kubeconfig is the path of a kubeconfig as deploy/cluster/README.md makes it.
func (g *guarded) kubeconfig(t *testing.T, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	content := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: kinds,
contexts: [{name: kinds, context: {cluster: kinds, user: identity}}],
clusters: [{name: kinds, cluster: {server: %q, certificate-authority: %q}}],
users: [{name: identity, user: {token: %q}}]}`, g.base, filepath.Join(g.cluster.Dir, "ca.crt"), token)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// policyAlone binds the preview identity to cluster-admin besides: what is refused now the policy refuses.
func (g *guarded) policyAlone(t *testing.T) {
	g.cluster.Kubectl(t, "", "create", "clusterrolebinding", "mistake", "--clusterrole=cluster-admin", "--serviceaccount=mergegate:"+previewer)
	within(t, "it has all rights", func() error {
		a := g.send(t, g.preview, request{method: http.MethodGet, path: "/api/v1/nodes"})
		if !a.accepted() {
			return fmt.Errorf("%d %s", a.code, a.message)
		}
		return nil
	})
	t.Run("writes", func(t *testing.T) {
		g.every(t, func(r resource, q request) {
			if why, ok := unseen[r.String()]; ok && why != questions {
				return // it would write
			}
			err := denied(g.send(t, g.preview, q))
			if _, ok := unseen[r.String()]; ok != (err != nil) {
				t.Errorf("%s: %v", q.what, err)
			}
		})
	})
	t.Run("dry runs", func(t *testing.T) {
		g.every(t, func(r resource, q request) {
			q.dryRun = true
			a := g.send(t, g.preview, q)
			ok := a.accepted()
			switch r.sub {
			case "token":
				ok = denied(a) == nil
			case "exec", "attach", "portforward", "proxy":
				ok = a.code == http.StatusBadRequest && strings.Contains(a.message, "dryRun is not supported")
			}
			if !ok {
				t.Errorf("%s: %d %s", q.what, a.code, a.message)
			}
		})
	})
	t.Run("what the policy does not see", g.notSeen)
}

// TestIdentityTable compares the tables above with what people read.
func TestIdentityTable(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "deploy", "cluster", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(slices.Sorted(maps.Keys(unseen)), unpredictable...) {
		name, _, _ = strings.Cut(name, ".")
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("deploy/cluster/README.md does not name %s", name)
		}
	}
}

// notSeen shows that the table of what a policy does not see says no more than is true.
func (g *guarded) notSeen(t *testing.T) {
	for _, a := range g.attempts(t) {
		why, ok := unseen[a.resource.String()]
		if !ok || why == questions || a.request.verb != "create" {
			continue
		}
		if got := g.send(t, g.preview, a.request); !got.accepted() {
			t.Errorf("%s is seen: %d %s", a.request.what, got.code, got.message)
		}
	}
	touch := request{
		method: http.MethodPatch, path: "/api/v1/namespaces/kinds/configmaps/sample", content: merge, body: `{"data":{"a":"two"}}`,
	}
	if a := g.send(t, g.preview, touch, "Impersonate-User", "admin", "Impersonate-Group", "system:masters"); !a.accepted() {
		t.Errorf("another identity is impersonated, and the policy still sees the one behind it: %d %s", a.code, a.message)
	}
	level := request{method: http.MethodPut, path: "/debug/flags/v", content: "text/plain", body: "2"}
	if a := g.send(t, g.preview, level); !a.accepted() {
		t.Errorf("what is no resource is seen: %d %s", a.code, a.message)
	}
}
