package live_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/faultproxy"
	"github.com/mergegate/mergegate/internal/plan"
)

// That something may not be read does not mean that it is not there: fluxcd/pkg/ssa took a forbidden
// read for an object that would be created.
func TestForbidden(t *testing.T) {
	live, changed := configMap("there", "a"), configMap("there", "b")
	for name, tt := range map[string]struct{ rules, head, want string }{
		"list":   {`[{apiGroups: [""], resources: [configmaps], verbs: [get, patch, create]}]`, changed, "mergegate may not list configmaps.v1 in namespace NAME"},
		"patch":  {`[{apiGroups: [""], resources: [configmaps], verbs: [list, create]}]`, changed, "mergegate may not patch configmaps.v1 in namespace NAME"},
		"create": {`[{apiGroups: [""], resources: [configmaps], verbs: [list, patch]}]`, configMap("new", "a"), "mergegate may not create configmaps.v1 in namespace NAME"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.apply(live)
			s.as(tt.rules)
			base := ""
			if tt.head == changed {
				base = live
			}
			s.expect(plan.Unknown, tt.want, s.ask(change{base, tt.head})[0])
			if name == "create" { // who may patch and not create still knows what an update does
				s.expect(plan.WillUpdate, "", s.ask(change{live, changed})[0])
			}
		})
	}
}

func configMap(name, value string) string {
	return fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {a: %s}}", name, value)
}

// A Role that grants more than the preview identity holds is refused to it, which says nothing of the
// Role: whoever merges may grant it.
func TestEscalation(t *testing.T) {
	s := newStage(t)
	s.as(`[{apiGroups: [rbac.authorization.k8s.io], resources: [roles, rolebindings], verbs: [list, patch, create]}, {apiGroups: [""], resources: [configmaps], verbs: [get]}]`)
	role := func(resource string) string {
		return `{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: new}, rules: [{apiGroups: [""], resources: [` + resource + `], verbs: [get]}]}`
	}
	s.expect(plan.WillCreate, "", s.ask(change{"", role("configmaps")})[0])
	s.expect(plan.Unknown, "holds fewer permissions", s.ask(change{"", role("secrets")})[0])
	binding := `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: new}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}, subjects: [{kind: User, name: x, apiGroup: rbac.authorization.k8s.io}]}`
	s.expect(plan.Unknown, "holds fewer permissions", s.ask(change{"", binding})[0])
	s.expect(plan.Unknown, "", s.ask(change{"", strings.Replace(binding, "name: admin", "name: nobody-has-this", 1)})[0])
}

// A webhook that does not support dry runs makes the API server refuse every dry run with a 400. That
// says nothing of the object (kubernetes has it so for sideEffects Some and Unknown).
func TestWebhookWithoutDryRun(t *testing.T) {
	s := newStage(t)
	proxy := faultproxy.Start(t, s.kubeconfig, faultproxy.Options{})
	s.kubeconfig = proxy.Kubeconfig // no server of today stores such a webhook, so that its answer is played
	proxy.Do(faultproxy.Always(func(r faultproxy.Request) bool { return r.Method == "PATCH" },
		faultproxy.Fault{Status: 400, Body: faultproxy.Status(400, "BadRequest", `admission webhook "old.example.com" does not support dry run`)}))
	s.expect(plan.Unknown, `admission webhook "old.example.com" does not support dry run`, s.ask(change{"", configMap("new", "a")})[0])
}

// webhook makes the API server ask a webhook about ConfigMaps.
func (s *stage) webhook(url string, certificate []byte) {
	s.Helper()
	bundle := base64Of(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})))
	s.kubectl(fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: NAME}
webhooks:
- name: gate.example.com
  clientConfig: {url: %q, caBundle: %s}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps, secrets]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NAME}}
  sideEffects: None
  failurePolicy: Fail
  timeoutSeconds: 5
  admissionReviewVersions: [v1]
`, url, bundle), "apply", "-f", "-")
	s.Cleanup(func() { s.remove("validatingwebhookconfigurations") })
}

// A webhook that nobody answers refuses with failurePolicy Fail: a fault of the cluster, not of
// the object. Its address is nobody's business.
func TestWebhookThatNobodyAnswers(t *testing.T) {
	s := newStage(t)
	closed := httptest.NewTLSServer(http.NotFoundHandler())
	closed.Close()
	s.webhook(closed.URL, closed.Certificate().Raw)
	s.ready("failed calling webhook", configMap("new", "a"), "create", "--dry-run=server", "-f", "-")
	a := s.ask(change{"", configMap("new", "a")})[0]
	s.expect(plan.Unknown, `the admission webhook "gate.example.com" cannot be called: nobody listens`, a)
	if strings.Contains(text(a), "127.0.0.1") {
		t.Errorf("it says where: %s", text(a))
	}
}

// A webhook that says no is an answer to the object, with its message. It may quote a Secret.
func TestWebhookDenial(t *testing.T) {
	s := newStage(t)
	server := httptest.NewTLSServer(http.HandlerFunc(deny))
	t.Cleanup(server.Close)
	s.webhook(server.URL, server.Certificate().Raw)
	s.ready("denied the request", configMap("new", "a"), "create", "--dry-run=server", "-f", "-")
	s.expect(plan.Rejected, `admission webhook "gate.example.com" denied the request: not this: {"a":"b"}`, s.ask(change{"", configMap("new", "b")})[0])
	a := s.hides([]string{"hunter2"}, change{"", secret(`stringData: {a: hunter2}`)})[0]
	s.expect(plan.Rejected, "an admission webhook refuses it", a)
	answers := s.hides([]string{"hunter2-is-long"}, change{"", secret(`stringData: {a: hunter2-is-long}`)}, change{"", configMap("new", "hunter2-is-long")})
	s.expect(plan.Rejected, "not this: ", answers[1])
}

// deny denies everything, and quotes what it denies.
func deny(w http.ResponseWriter, r *http.Request) {
	var review struct {
		Request struct {
			UID    string
			Object struct{ Data map[string]string }
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	quoted, _ := json.Marshal(review.Request.Object.Data)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": map[string]any{
		"uid": review.Request.UID, "allowed": false, "status": map[string]any{"message": "not this: " + string(quoted)},
	}})
}
