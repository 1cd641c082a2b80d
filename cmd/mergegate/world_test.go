package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/githubsim/oracle"
)

const (
	repository = "acme/gitops"
	appID      = 4242
	hookSecret = "a webhook secret"
)

// world is a local GitHub, held to GitHub's own description of its API, with a GitOps repository,
// people, and mergegate as an App that runs as a process of its own.
type world struct {
	*githubsim.Server
	t       *testing.T
	address string // where mergegate listens
	dir     string
	env     []string
	process *exec.Cmd
	log     *syncBuffer
	around  atomic.Pointer[interceptor]
	mu      sync.Mutex // guards process against handlers that kill it
}

// interceptor gets a request to GitHub, and the handler that would answer it.
type interceptor func(next http.Handler, w http.ResponseWriter, r *http.Request)

// intercept gives every request to GitHub from now on to fn.
func (w *world) intercept(fn interceptor) { w.around.Store(&fn) }

// crash kills mergegate from within a request to GitHub; whoever started it waits for its end.
func (w *world) crash() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.process.Process.Kill(); err != nil {
		w.t.Error(err)
	}
}

// syncBuffer is a buffer that a process writes while a test reads.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newWorld makes a world in which mergegate does not run yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, func(*githubsim.Config) {})
}

// newWorldWith makes a world with a GitHub of a special kind.
func newWorldWith(t *testing.T, special func(*githubsim.Config)) *world {
	t.Helper()
	w := &world{t: t, address: freeAddress(t), dir: t.TempDir(), log: &syncBuffer{}}
	app := githubsim.SeedApp{
		ID: appID, Slug: "mergegate", Name: "mergegate", Owner: "acme", Permissions: github.Permissions(), Events: github.Events(),
		Installations: []githubsim.SeedInstallation{{ID: 77, Account: "acme"}},
	}
	app.Webhook.URL, app.Webhook.Secret = "http://"+w.address+"/webhook", hookSecret
	checks := []githubsim.SeedCheck{{Context: "mergegate / plan", AppID: appID}, {Context: "mergegate / policy", AppID: appID}}
	judge := oracle.New(t)
	config := githubsim.Config{
		Dir: filepath.Join(w.dir, "github"), Observe: judge.Delivery,
		Wrap: func(next http.Handler) http.Handler {
			next = judge.Wrap(next)
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if around := w.around.Load(); around != nil {
					(*around)(next, rw, r)
					return
				}
				next.ServeHTTP(rw, r)
			})
		},
		Seed: githubsim.Seed{
			Users: []githubsim.SeedUser{
				{ID: 1, Login: "acme", Type: "Organization"},
				{ID: 2, Login: "ann", Tokens: []string{"ann-token"}},
				{ID: 3, Login: "eve", Tokens: []string{"eve-token"}},
			},
			Repositories: []githubsim.SeedRepository{
				{
					ID: 100, Owner: "acme", Name: "gitops", From: "../../testdata/sample",
					Collaborators: map[string]string{"ann": "maintain", "eve": "read"},
					Protection:    []githubsim.SeedProtection{{Branch: "main", Checks: checks}},
				},
				{ID: 101, Owner: "eve", Name: "gitops", ForkOf: repository},
			},
			Apps: []githubsim.SeedApp{app},
		},
	}
	special(&config)
	sim, err := githubsim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = sim
	if err := sim.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	key, err := sim.PrivateKey("mergegate")
	if err != nil {
		t.Fatal(err)
	}
	w.env = []string{
		asMergegate + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "TMPDIR=" + t.TempDir(),
		"MERGEGATE_LISTEN=" + w.address, "MERGEGATE_PUBLIC_URL=http://" + w.address, "MERGEGATE_DATA_DIR=" + filepath.Join(w.dir, "data"),
		"MERGEGATE_GITHUB_URL=" + sim.URL(), "MERGEGATE_GITHUB_API_URL=" + sim.URL() + "/api/v3", "MERGEGATE_GITHUB_APP_ID=" + strconv.Itoa(appID),
		"MERGEGATE_GITHUB_PRIVATE_KEY=" + string(key), "MERGEGATE_GITHUB_WEBHOOK_SECRETS=old secret," + hookSecret,
		"MERGEGATE_GITHUB_WRITE_INTERVAL=0s", "MERGEGATE_LOG_LEVEL=debug", "MERGEGATE_LOG_FORMAT=text",
	}
	t.Cleanup(w.end)
	return w
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// end stops everything and shows mergegate's log when the test failed.
func (w *world) end() {
	if w.process != nil {
		w.stop()
	}
	if err := w.Close(); err != nil {
		w.t.Error(err)
	}
	if w.t.Failed() {
		log := w.log.String()
		w.t.Logf("mergegate's log:\n%s", log[max(0, len(log)-20000):])
	}
}

// serve starts mergegate and waits until it answers. Settings are added to its environment.
func (w *world) serve(settings ...string) {
	w.t.Helper()
	w.start(settings...)
	w.until("mergegate answers", func() bool {
		res, err := http.Get("http://" + w.address + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

func (w *world) start(settings ...string) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.process = exec.CommandContext(context.Background(), self, "serve")
	w.process.Env = slices.Concat(w.env, settings)
	w.process.Stdout, w.process.Stderr = w.log, w.log
	if err := w.process.Start(); err != nil {
		w.t.Fatal(err)
	}
}

// stop asks mergegate to end, as an orchestrator does, and expects that it does so well.
func (w *world) stop() {
	w.t.Helper()
	if err := w.process.Process.Signal(os.Interrupt); err != nil {
		w.t.Error(err)
	}
	if err := w.process.Wait(); err != nil {
		w.t.Errorf("mergegate did not stop well: %v", err)
	}
	w.process = nil
}

// kill ends mergegate as a crash would.
func (w *world) kill() {
	w.t.Helper()
	if err := w.process.Process.Kill(); err != nil {
		w.t.Error(err)
	}
	if err := w.process.Wait(); err == nil {
		w.t.Error("mergegate ended before it was killed")
	}
	w.process = nil
}

const patience = 90 * time.Second

// until waits for something to become true.
func (w *world) until(what string, true func() bool) {
	w.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !true() {
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatalf("waited %s in vain until %s", patience, what)
		case <-w.t.Context().Done():
			w.t.Fatalf("the test ended before %s", what)
		}
	}
}

// as sends a REST request as a person and decodes the answer into out.
func (w *world) as(token, method, path string, in, out any) int {
	w.t.Helper()
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			w.t.Fatal(err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.URL()+"/api/v3"+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "token "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if out != nil {
		if err := json.NewDecoder(res.Body).Decode(out); err != nil {
			w.t.Fatalf("%s %s: %d: %v", method, path, res.StatusCode, err)
		}
	}
	return res.StatusCode
}

// change pushes a branch with a commit and opens a pull request for it.
func (w *world) change(branch string, write map[string]string) (number int, head string) {
	w.t.Helper()
	head = w.push(githubsim.Push{Branch: branch, From: "main", Write: write})
	var made struct{ Number int }
	if code := w.as("ann-token", "POST", "/repos/"+repository+"/pulls", map[string]any{"title": "Change " + branch, "head": branch, "base": "main"}, &made); code != 201 {
		w.t.Fatalf("open pull request: %d", code)
	}
	return made.Number, head
}

func (w *world) push(p githubsim.Push) string {
	w.t.Helper()
	p.Repository, p.By = repository, "ann"
	if p.Message == "" {
		p.Message = "change"
	}
	sha, err := w.Push(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	return sha
}

// check is a check run as GitHub shows it.
type check struct {
	ID         int64
	Name       string
	Status     string
	Conclusion string
	ExternalID string `json:"external_id"`
	DetailsURL string `json:"details_url"`
	Output     struct {
		Title            string
		Summary          string
		Text             string
		AnnotationsCount int `json:"annotations_count"`
	}
}

// checks are all check runs of a commit, oldest first.
func (w *world) checks(sha string) []check {
	w.t.Helper()
	var found struct {
		CheckRuns []check `json:"check_runs"`
	}
	w.as("ann-token", "GET", "/repos/"+repository+"/commits/"+sha+"/check-runs?filter=all&per_page=100", nil, &found)
	slices.SortFunc(found.CheckRuns, func(a, b check) int { return int(a.ID - b.ID) })
	return found.CheckRuns
}

// settled waits until the newest run of both checks of a commit is completed, and returns them.
func (w *world) settled(sha string, runs int) (plan, policy check) {
	w.t.Helper()
	w.until(fmt.Sprintf("%d runs of each check of %s are completed", runs, sha[:8]), func() bool {
		count := map[string]int{}
		for _, c := range w.checks(sha) {
			if c.Status != "completed" {
				return false
			}
			count[c.Name]++
		}
		return count["mergegate / plan"] >= runs && count["mergegate / policy"] >= runs
	})
	for _, c := range w.checks(sha) {
		switch c.Name {
		case "mergegate / plan":
			plan = c
		case "mergegate / policy":
			policy = c
		}
	}
	return plan, policy
}

// comment is a comment as GitHub shows it.
type comment struct {
	ID   int64
	Body string
	User struct{ Login string }
}

// ours are mergegate's comments on a pull request.
func (w *world) ours(number int) []comment {
	w.t.Helper()
	var all []comment
	w.as("ann-token", "GET", "/repos/"+repository+"/issues/"+strconv.Itoa(number)+"/comments?per_page=100", nil, &all)
	return slices.DeleteFunc(all, func(c comment) bool { return c.User.Login != "mergegate[bot]" })
}

// commented waits until the one comment has all of the texts.
func (w *world) commented(number int, texts ...string) string {
	w.t.Helper()
	var body string
	w.until(fmt.Sprintf("the comment on pull request %d has %q", number, texts), func() bool {
		all := w.ours(number)
		if len(all) > 1 {
			w.t.Fatalf("%d comments on pull request %d", len(all), number)
		}
		if len(all) == 0 {
			return false
		}
		body = all[0].Body
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(body, text) })
	})
	return body
}

// say comments on a pull request.
func (w *world) say(token string, number int, body string) int64 {
	w.t.Helper()
	var made comment
	if code := w.as(token, "POST", "/repos/"+repository+"/issues/"+strconv.Itoa(number)+"/comments", map[string]any{"body": body}, &made); code != 201 {
		w.t.Fatalf("comment: %d", code)
	}
	return made.ID
}

// reactions are the reactions to a comment.
func (w *world) reactions(comment int64) []string {
	w.t.Helper()
	var all []struct{ Content string }
	w.as("ann-token", "GET", fmt.Sprintf("/repos/%s/issues/comments/%d/reactions", repository, comment), nil, &all)
	names := []string{}
	for _, r := range all {
		names = append(names, r.Content)
	}
	return names
}

// sampleFile is a file of the sample repository.
func sampleFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/sample", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
