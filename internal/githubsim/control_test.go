package githubsim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func id(n int64) string { return strconv.FormatInt(n, 10) }

// control calls the control API and returns the status and body.
func (w *world) control(method, path, body string) (int, string) {
	w.t.Helper()
	return w.do(method, "/_control/"+path, "", body)
}

func TestControl(t *testing.T) {
	w := newWorld(t)
	code, body := w.control("POST", "push", `{"repository":"acme/gitops","branch":"bump","by":"alice","write":{"a.txt":"a\n"},"message":"m"}`)
	var pushed struct{ SHA string }
	if err := json.Unmarshal([]byte(body), &pushed); code != 200 || err != nil || len(pushed.SHA) != 40 {
		t.Fatalf("push: %d %s", code, body)
	}
	if code, body := w.do("POST", "/api/v3/repos/acme/gitops/pulls", "Bearer alice-token", `{"title":"t","head":"bump","base":"main"}`); code != 201 {
		t.Fatalf("open: %d %s", code, body)
	}
	run := w.complete(w.asInstallation(), "mergegate / plan", pushed.SHA, "success")
	for _, tt := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "draft", `{"repository":"acme/gitops","number":1,"on":true,"by":"alice"}`, 204},
		{"POST", "draft", `{"repository":"acme/gitops","number":1,"on":false,"by":"alice"}`, 204},
		{"POST", "flush", ``, 204},
		{"POST", "role", `{"repository":"acme/gitops","by":"bob","role":"write"}`, 204},
		{"POST", "hook-url", `{"app":"mergegate","url":"http://127.0.0.1:1/"}`, 204},
		{"POST", "press", `{"repository":"acme/gitops","check_run":` + id(run.GetID()) + `,"identifier":"plan","by":"bob"}`, 422},
		{"POST", "delivery-faults", `{"app":"mergegate","kind":"drop"}`, 204},
		{"POST", "delivery-faults", `{"app":"mergegate","kind":"explode"}`, 422},
		{"POST", "release", `{"app":"mergegate"}`, 204},
		{"POST", "faults", `{"kind":"before","path":"/meta"}`, 204},
		{"DELETE", "faults", ``, 204},
		{"POST", "faults", `{"kind":"before","sort":"typo"}`, 422},
		{"POST", "advance", `{"seconds":1}`, 204},
		{"POST", "suspend", `{"installation":70,"on":true}`, 204},
		{"POST", "suspend", `{"installation":70}`, 204},
		{"POST", "select", `{"installation":70,"repository":"acme/other","on":true}`, 204},
		{"POST", "revoke-tokens", `{"installation":70}`, 204},
		{"POST", "mergeable-unknown", `{"number":1}`, 204},
		{"POST", "rate-limit", `{"number":5000}`, 204},
		{"POST", "enqueue", `{"repository":"acme/gitops","number":1,"by":"alice"}`, 204},
		{"POST", "dequeue", `{"repository":"acme/gitops","number":1}`, 204},
		{"POST", "delete-branch", `{"repository":"acme/gitops","branch":"bump"}`, 204},
		{"POST", "grant", `{"installation":70,"permissions":{"checks":"write"}}`, 204},
		{"POST", "uninstall", `{"installation":70}`, 204},
		{"POST", "delete-repository", `{"repository":"mallory/gitops"}`, 204},
		{"POST", "nothing", ``, 404},
	} {
		if code, body := w.control(tt.method, tt.path, tt.body); code != tt.want {
			t.Errorf("%s %s %s: %d %s, want %d", tt.method, tt.path, tt.body, code, body, tt.want)
		}
	}
	if code, body := w.control("GET", "requests?method=POST&path=/repos/*/*/pulls", ""); code != 200 || strings.Count(body, `"path"`) != 1 {
		t.Errorf("requests: %d %s", code, body)
	}
	if code, body := w.control("GET", "deliveries?app=mergegate", ""); code != 200 || !strings.Contains(body, `"event":"pull_request"`) {
		t.Errorf("deliveries: %d %s", code, body)
	}
}

func TestImport(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	mustGit(t, dir, "init", "-q", "-b", "trunk")
	mustGit(t, dir, "commit", "-q", "--allow-empty", "-m", "one")
	sha, err := w.sim.Import(context.Background(), "acme/other", dir, "trunk", "imported")
	if err != nil || sha != mustGit(t, dir, "rev-parse", "HEAD") {
		t.Errorf("import: %s, %v", sha, err)
	}
}

// TestControlIsLocal keeps web pages in a browser on the same machine away from the control API.
func TestControlIsLocal(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*http.Request){
		"another host":  func(r *http.Request) { r.Host = "evil.example" },
		"from a page":   func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
		"another host2": func(r *http.Request) { r.Host = "evil.example:80" },
	} {
		req, err := http.NewRequestWithContext(context.Background(), "POST", w.url+"/_control/flush", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close() // nothing is read
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", name, resp.StatusCode)
		}
	}
}
