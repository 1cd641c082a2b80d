package clustertest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// deployment is a Deployment of two pods; it is given up after 3 s without progress.
func deployment(name, image string) string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: 2
  progressDeadlineSeconds: 3
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec: {containers: [{name: main, image: "%[2]s"}]}
`, name, image)
}

func TestWorkloads(t *testing.T) {
	t.Parallel()
	cluster := Start(t)
	namespace := cluster.Namespace(t)
	wait := func(what, condition string) {
		t.Helper()
		cluster.Kubectl(t, "", "-n", namespace, "wait", "--for=condition="+condition, what, "--timeout=90s")
	}
	cluster.Kubectl(t, deployment("good", "x:1")+"---"+deployment("bad", "x:broken"), "-n", namespace, "apply", "--server-side", "-f", "-")
	wait("deployment/good", "Available")
	wait("deployment/bad", "Progressing=False") // for the deadline is over
	reasons := cluster.Kubectl(t, "", "-n", namespace, "get", "pods", "-l", "app=bad",
		"-o", "jsonpath={.items[*].status.phase} {.items[*].status.containerStatuses[*].state.waiting.reason}")
	if want := "Pending Pending ImagePullBackOff ImagePullBackOff"; reasons != want {
		t.Errorf("pods of the broken image: got %q, want %q", reasons, want)
	}
	cluster.Kubectl(t, "", "-n", namespace, "set", "image", "deployment/bad", "main=x:2")
	wait("deployment/bad", "Available")
	cluster.Kubectl(t, "", "-n", namespace, "create", "job", "once", "--image=x:1")
	wait("job/once", "Complete")
}

// TestAdmission shows that what judges requests is on, and that the API server reaches a webhook of
// this process.
func TestAdmission(t *testing.T) {
	t.Parallel()
	cluster := Start(t)
	namespace := cluster.Namespace(t)
	kinds := cluster.Kubectl(t, "", "api-resources", "--api-group=admissionregistration.k8s.io", "-o", "name")
	for _, kind := range []string{"validatingadmissionpolicies", "mutatingadmissionpolicies", "mutatingwebhookconfigurations"} {
		if !strings.Contains(kinds, kind) {
			t.Errorf("%s are not served: %s", kind, kinds)
		}
	}
	hook := httptest.NewTLSServer(http.HandlerFunc(deny))
	t.Cleanup(hook.Close)
	authority := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw}))
	cluster.Kubectl(t, fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: %[1]s}
webhooks:
- name: deny.example.com
  clientConfig: {url: "%[2]s", caBundle: "%[3]s"}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}}
  admissionReviewVersions: [v1]
  sideEffects: None
`, namespace, hook.URL, authority), "create", "-f", "-")
	t.Cleanup(func() { // the context of the test is over by now
		if err := command(Binary(t), "kubectl", "--kubeconfig", cluster.Kubeconfig, "delete", "validatingwebhookconfiguration", namespace).Run(); err != nil {
			t.Error(err)
		}
	})
	until(t, "the webhook is asked", func() error { // the API server learns of it a moment later
		_, err := cluster.TryKubectl(t, "", "-n", namespace, "create", "secret", "generic", "x", "--dry-run=server")
		if err == nil || !strings.Contains(err.Error(), "not on my watch") {
			return fmt.Errorf("a secret is created with error %w", err)
		}
		return nil
	})
}

func deny(w http.ResponseWriter, r *http.Request) {
	var review struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Request    struct {
			UID string `json:"uid"`
		} `json:"request"`
	}
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": review.APIVersion, "kind": review.Kind,
		"response": map[string]any{"uid": review.Request.UID, "allowed": false, "status": map[string]any{"message": "not on my watch"}},
	})
}

func TestSideBySide(t *testing.T) {
	t.Parallel()
	one, two := New(t, Options{ControlPlaneOnly: true, Name: "one"}), New(t, Options{ControlPlaneOnly: true, Name: "two"})
	namespace := one.Namespace(t)
	one.Kubectl(t, "", "get", "namespace", namespace)
	if _, err := two.TryKubectl(t, "", "get", "namespace", namespace); err == nil || !strings.Contains(err.Error(), "NotFound") {
		t.Errorf("the namespace of one cluster is in the other: %v", err)
	}
	for name, cluster := range map[string]*Cluster{"one": one, "two": two} {
		if got := cluster.Kubectl(t, "", "config", "get-contexts", "-o", "name"); got != name+"\n" {
			t.Errorf("contexts: got %q, want %q", got, name)
		}
		if got := cluster.Kubectl(t, "", "auth", "whoami", "-o", "jsonpath={.status.userInfo.groups}"); !strings.Contains(got, "system:masters") {
			t.Errorf("groups of the administrator: %s", got)
		}
	}
	for _, secret := range []string{"kubeconfig", "ca.crt", "ca.key"} {
		info, err := os.Stat(filepath.Join(one.Dir, secret))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %s", secret, info.Mode())
		}
	}
}
