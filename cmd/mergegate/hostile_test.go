package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/githubsim/markdown"
	"github.com/mergegate/mergegate/internal/store"
)

// git runs git on the repository as ann would.
func (w *world) git(args ...string) {
	w.t.Helper()
	remote := strings.Replace(w.URL(), "http://", "http://ann:ann-token@", 1) + "/" + repository + ".git"
	dir := filepath.Join(w.t.TempDir(), "clone")
	for _, args := range [][]string{{"clone", "--quiet", "--mirror", remote, dir}, slices.Concat([]string{"-C", dir, "push", "--quiet", remote}, args)} {
		if out, err := exec.CommandContext(w.t.Context(), "git", args...).CombinedOutput(); err != nil {
			w.t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
}

// open opens a pull request for a branch that is there.
func (w *world) open(branch, title string) (number int) {
	w.t.Helper()
	var made struct{ Number int }
	if code := w.as("ann-token", "POST", "/repos/"+repository+"/pulls", map[string]any{"title": title, "head": branch, "base": "main"}, &made); code != 201 {
		w.t.Fatalf("open pull request: %d", code)
	}
	return made.Number
}

func (w *world) close(number int) {
	w.t.Helper()
	if code := w.as("ann-token", "PATCH", "/repos/"+repository+"/pulls/"+strconv.Itoa(number), map[string]any{"state": "closed"}, nil); code != http.StatusOK {
		w.t.Fatalf("close pull request: %d", code)
	}
}

// shut stops mergegate and opens what it has stored.
func (w *world) shut() *store.Store {
	w.t.Helper()
	w.stop()
	s, err := store.Open(w.t.Context(), store.Config{Database: filepath.Join(w.dir, "data")})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := s.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return s
}

// noneOpen waits until no check of a commit is left open.
func (w *world) noneOpen(sha string) {
	w.t.Helper()
	w.until("no check of "+sha[:8]+" is left open", func() bool {
		return !slices.ContainsFunc(w.checks(sha), func(c check) bool { return c.Status != "completed" })
	})
}

// titlePolicy denies what comes in a pull request that is work in progress, wherever the image is new.
func titlePolicy() map[string]string {
	return map[string]string{
		".mergegate.yaml": "apiVersion: mergegate/v1\napplications:\n  - path: apps/*/overlays/*\n    name: \"{1}-{2}\"\npolicy:\n  paths: [policies]\n",
		"policies/title.rego": `package main

import rego.v1

deny contains msg if {
	input.kind == "Deployment"
	endswith(input.spec.template.spec.containers[_].image, ":1.9.0")
	startswith(data.mergegate.pull.title, "WIP")
	msg := "work in progress"
}
`,
	}
}

func TestPullRequestsThatShareACommitPassTogether(t *testing.T) {
	for _, first := range []string{"WIP: not yet", "Ready"} {
		t.Run(first+" first", func(t *testing.T) {
			w := newWorld(t)
			w.push(githubsim.Push{Branch: "main", Write: titlePolicy()})
			w.serve()
			head := w.push(githubsim.Push{Branch: "one", From: "main", Write: kustomization("1.9.0", "")})
			w.git(head + ":refs/heads/two")
			titles := map[string]string{"one": first, "two": map[bool]string{true: "Ready", false: "WIP: not yet"}[first != "Ready"]}
			numbers := map[string]int{}
			for _, branch := range []string{"one", "two"} {
				numbers[titles[branch]] = w.open(branch, titles[branch])
			}
			w.expect(head, 2, "success", "failure")
			for _, c := range w.checks(head) {
				if c.Name == "mergegate / policy" && c.Conclusion != "failure" {
					t.Errorf("a policy check of the commit is %s", c.Conclusion)
				}
			}
			w.commented(numbers["WIP: not yet"], "work in progress")
			w.commented(numbers["Ready"], "1.9.0")
			for _, number := range numbers {
				if code, _ := w.merge(number); code != http.StatusMethodNotAllowed {
					t.Errorf("merge of #%d while one of the two does not pass: %d", number, code)
				}
			}
			w.close(numbers["WIP: not yet"])
			w.until("the check of the one that is left passes", func() bool {
				checks := w.checks(head)
				return len(checks) > 4 && checks[len(checks)-1].Conclusion == "success" && checks[len(checks)-2].Conclusion == "success"
			})
			w.noneOpen(head)
			if code, message := w.merge(numbers["Ready"]); code != http.StatusOK {
				t.Errorf("merge of the one that is left: %d %s", code, message)
			}
		})
	}
}

func TestHeadThatGoesBackIsPlannedAnew(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, first := w.change("bump", kustomization("1.9.0", ""))
	w.expect(first, 1, "success", "success")
	second := w.push(githubsim.Push{Branch: "bump", Write: kustomization("1.9.1", "")})
	w.expect(second, 1, "success", "success")
	w.commented(number, "1.9.1")
	w.git("--force", first+":refs/heads/bump")
	w.commented(number, "1.9.0", first[:7])
	w.expect(first, 2, "success", "success")
	w.say("eve-token", number, "/help")
	if body := w.commented(number, "`/plan`", "1.9.0"); strings.Contains(body, "1.9.1") {
		t.Errorf("the comment shows the plan of a head that is gone:\n%s", body)
	}
}

func TestClosedPullRequestSaysSoAndStartsAnewWhenReopened(t *testing.T) {
	w := newWorld(t)
	closed := make(chan struct{})
	w.Before("POST", "/acme/gitops.git/git-upload-pack", func() {
		w.close(1)
		close(closed)
	})
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	<-closed
	w.noneOpen(head)
	for _, c := range w.checks(head) {
		if c.Conclusion != "failure" || !strings.Contains(c.Output.Title+c.Output.Summary, "not open any more") {
			t.Errorf("%s of a closed pull request: %s: %s: %s", c.Name, c.Conclusion, c.Output.Title, c.Output.Summary)
		}
	}
	if code := w.as("ann-token", "PATCH", "/repos/"+repository+"/pulls/"+strconv.Itoa(number), map[string]any{"state": "open"}, nil); code != http.StatusOK {
		t.Fatalf("reopen: %d", code)
	}
	w.until("it is planned again", func() bool {
		checks := w.checks(head)
		return len(checks) >= 4 && checks[len(checks)-1].Conclusion == "success" && checks[len(checks)-2].Conclusion == "success"
	})
	w.commented(number, "1.9.0")
}

// TestChecksOfARunThatDiedAreEnded kills mergegate when it has made one check of two and recorded
// neither for the pull request; then the head moves on.
func TestChecksOfARunThatDiedAreEnded(t *testing.T) {
	w := newWorld(t)
	_, old := w.change("bump", kustomization("1.9.0", ""))
	killed := make(chan struct{})
	posts := 0
	w.intercept(func(next http.Handler, rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/check-runs") {
			if posts++; posts == 2 {
				w.crash()
				close(killed)
				panic(http.ErrAbortHandler)
			}
		}
		next.ServeHTTP(rw, r)
	})
	w.start()
	<-killed
	w.process.Wait() //nolint:errcheck // it was killed
	head := w.push(githubsim.Push{Branch: "bump", Write: kustomization("1.9.1", "")})
	w.serve()
	w.expect(head, 1, "success", "success")
	if len(w.checks(old)) == 0 {
		t.Fatal("no check was made before the kill: the test looks at nothing")
	}
	w.noneOpen(old)
}

func TestRefusedPermissionIsShownAndMended(t *testing.T) {
	for missing, shown := range map[string]func(w *world, number int, head string){
		"checks": func(w *world, number int, _ string) { w.commented(number, "could not be", "permission") },
		"pull_requests": func(w *world, _ int, head string) {
			w.until("the checks say so", func() bool {
				checks := w.checks(head)
				return len(checks) == 2 && !slices.ContainsFunc(checks, func(c check) bool {
					return c.Conclusion != "failure" || !strings.Contains(c.Output.Summary, "permission")
				})
			})
		},
	} {
		t.Run(missing, func(t *testing.T) {
			w := newWorld(t)
			w.serve()
			all := w.granted()
			fewer := w.granted()
			fewer[missing] = "read"
			if err := w.Grant(77, fewer); err != nil {
				t.Fatal(err)
			}
			number, head := w.change("bump", kustomization("1.9.0", ""))
			w.until("the job is given up", func() bool { return strings.Contains(w.log.String(), "job failed for good\" job=plan/100/1") })
			shown(w, number, head)
			if err := w.Grant(77, all); err != nil {
				t.Fatal(err)
			}
			w.say("ann-token", number, "/plan")
			w.commented(number, "1.9.0")
			w.until("the checks pass", func() bool {
				checks := w.checks(head)
				return len(checks) >= 2 && checks[len(checks)-1].Conclusion == "success" && checks[len(checks)-2].Conclusion == "success"
			})
			w.noneOpen(head)
		})
	}
}

func TestSuspendedWhileItPlans(t *testing.T) {
	w := newWorld(t)
	suspended := make(chan struct{})
	// The next that is read of the pull request once it is fetched is whether it still is what was planned.
	w.Before("POST", "/acme/gitops.git/git-upload-pack", func() {
		w.Before("GET", "/repos/acme/gitops/pulls/1", func() {
			if err := w.Suspend(77, true); err != nil {
				t.Error(err)
			}
			close(suspended)
		})
	})
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	<-suspended
	w.until("the job is given up", func() bool {
		return strings.Contains(w.log.String(), "given up until the repository is ours again") || strings.Contains(w.log.String(), "job done\" job=plan/100/1")
	})
	for _, c := range w.checks(head) {
		if c.Status == "completed" {
			t.Errorf("%s was completed for a suspended installation", c.Name)
		}
	}
	if err := w.Suspend(77, false); err != nil {
		t.Fatal(err)
	}
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.0")
	w.expectRuns(head, 1)
}

func TestToldToStopWhileItPlans(t *testing.T) {
	w := newWorld(t)
	working := make(chan struct{})
	w.Before("POST", "/acme/gitops.git/git-upload-pack", func() { close(working) })
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	<-working
	if err := w.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := w.process.Wait(); err != nil {
		t.Errorf("mergegate did not stop well: %v", err)
	}
	w.serve()
	w.expect(head, 1, "success", "success")
	w.commented(number, "1.9.0")
	w.expectRuns(head, 1)
}

func TestEditedCommandIsNotRun(t *testing.T) {
	w := newWorld(t)
	w.serve()
	number, head := w.change("bump", kustomization("1.9.0", ""))
	w.expect(head, 1, "success", "success")
	w.Before("GET", "/repos/acme/gitops/issues/comments/*", func() {
		var all []comment
		w.as("ann-token", "GET", "/repos/"+repository+"/issues/"+strconv.Itoa(number)+"/comments", nil, &all)
		for _, c := range all {
			if c.User.Login == "ann" {
				w.as("ann-token", "PATCH", fmt.Sprintf("/repos/%s/issues/comments/%d", repository, c.ID), map[string]any{"body": "/plan"}, nil)
			}
		}
	})
	id := w.say("ann-token", number, "/help")
	w.commented(number, "edited")
	w.until("the comment is answered", func() bool { return slices.Contains(w.reactions(id), "confused") })
	w.expectRuns(head, 1)
}

// deliver sends a delivery as GitHub does, signed with a secret.
func (w *world) deliver(guid, secret string, body []byte) int {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+w.address+"/webhook", strings.NewReader(string(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-GitHub-Event", "pull_request")
	req.Header.Set("X-GitHub-Delivery", guid)
	if secret != "" {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(body)
		req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0 // refused in the middle of the body
	}
	defer res.Body.Close()
	return res.StatusCode
}

func TestWhatIsNotAcceptedIsNotStored(t *testing.T) {
	w := newWorld(t)
	w.serve()
	small := []byte(`{"action":"opened","installation":{"id":77}}`)
	large := []byte(`{"action":"opened","pad":"` + strings.Repeat("x", 26<<20) + `"}`)
	for guid, got := range map[string]int{
		"11111111-0000-4000-8000-000000000001": w.deliver("11111111-0000-4000-8000-000000000001", "", small),
		"11111111-0000-4000-8000-000000000002": w.deliver("11111111-0000-4000-8000-000000000002", "not the secret", small),
	} {
		if got != http.StatusUnauthorized {
			t.Errorf("delivery %s: %d, want 401", guid, got)
		}
	}
	if got := w.deliver("11111111-0000-4000-8000-000000000003", hookSecret, large); got != http.StatusRequestEntityTooLarge && got != 0 {
		t.Errorf("26 MiB: %d, want 413", got)
	}
	if got := w.deliver("11111111-0000-4000-8000-000000000004", "old secret", small); got != http.StatusAccepted {
		t.Errorf("signed with the other secret: %d, want 202", got)
	}
	s := w.shut()
	for n := 1; n <= 3; n++ {
		if _, err := s.Delivery(t.Context(), fmt.Sprintf("11111111-0000-4000-8000-00000000000%d", n)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("delivery %d is stored: %v", n, err)
		}
	}
	if _, err := s.Delivery(t.Context(), "11111111-0000-4000-8000-000000000004"); err != nil {
		t.Errorf("accepted delivery: %v", err)
	}
}

func TestThreeThousandFiles(t *testing.T) {
	w := newWorld(t)
	w.serve()
	write := kustomization("1.9.0", "")
	for n := range 2999 {
		write[fmt.Sprintf("bulk/%02d/%d.txt", n%50, n)] = strconv.Itoa(n)
	}
	number, head := w.change("bulk", write)
	w.expect(head, 1, "success", "success")
	w.commented(number, "shop-production", "1.9.0")
	w.expectRuns(head, 1)
}

func TestPlanThatDoesNotFitIsCountedAndLinked(t *testing.T) {
	w := newWorld(t)
	w.serve()
	var objects strings.Builder
	for n := range 400 {
		fmt.Fprintf(&objects, "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-%d\ndata:\n  text: %q\n", n, strings.Repeat(fmt.Sprintf("väl%d ", n), 100))
	}
	write := kustomization("1.9.0", "")
	write[shopBase] = strings.Replace(write[shopBase], "  - service.yaml\n", "  - service.yaml\n  - maps.yaml\n", 1)
	write["apps/shop/base/maps.yaml"] = objects.String()
	number, head := w.change("large", write)
	w.expect(head, 1, "success", "success")
	plan, policy := w.settled(head, 1)
	for name, text := range map[string]string{"summary": plan.Output.Summary, "text": plan.Output.Text, "policy summary": policy.Output.Summary, "policy text": policy.Output.Text} {
		if len(text) > 65535 || !utf8.ValidString(text) {
			t.Errorf("%s has %d bytes", name, len(text))
		}
	}
	for name, text := range map[string]string{"text": plan.Output.Text, "comment": w.commented(number, "shop-production")} {
		if len(text) > 65535 || !strings.Contains(text, "do not fit here") || !strings.Contains(text, "/plans/") {
			t.Errorf("%s has %d bytes, and does not count and link what is left out:\n%.2000s", name, len(text), text)
		}
	}
	if page := w.page(plan.DetailsURL); !strings.Contains(page, "map-0") || !strings.Contains(page, "map-399") || !strings.Contains(page, repository+" #"+strconv.Itoa(number)) {
		t.Error("the page does not have everything")
	}
}

func TestHostileNamesAreOnlyText(t *testing.T) {
	w := newWorld(t)
	w.serve()
	write := kustomization("1.9.0", "")
	write[shopBase] = strings.Replace(write[shopBase], "  - service.yaml\n", "  - service.yaml\n  - odd.yaml\n", 1)
	write["apps/shop/base/odd.yaml"] = `apiVersion: v1
kind: ConfigMap
metadata:
  name: "x](https://evil.example) <img src=x> @acme/admins ` + "```" + `"
  labels:
    "<script>alert(1)</script>": "@ann"
data:
  "a` + "````" + `\n# heading": "` + "\\n`````\\n" + `@acme/admins <b>bold</b> #1"
`
	number, head := w.change("odd", write)
	w.settled(head, 1)
	body := w.commented(number, "evil.example")
	plan, policy := w.settled(head, 1)
	for name, text := range map[string]string{"comment": body, "summary": plan.Output.Summary, "text": plan.Output.Text, "policy": policy.Output.Summary, "policy text": policy.Output.Text} {
		// GitHub makes a link of every address, which shows where it leads; no other may be made.
		html := strings.ReplaceAll(string(markdown.Render(text)), `<a href="https://evil.example">https://evil.example</a>`, "")
		for _, bad := range []string{`href="https://evil.example`, "<img", "<script", "<b>bold", "<h1"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s renders %s:\n%s", name, bad, html)
			}
		}
	}
	if page := w.page(plan.DetailsURL); strings.Contains(page, "<img") || strings.Contains(page, "<script>alert") {
		t.Error("the page has HTML of the pull request's")
	}
}
