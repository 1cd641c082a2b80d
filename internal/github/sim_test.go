package github_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/githubsim/oracle"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/webhook"
)

const (
	gateID  = 4242
	otherID = 4243
	install = 77
	full    = "acme/gitops"
	secret  = "webhook-secret"
)

// world is a local GitHub, held to GitHub's own description of its API, with an App that is installed in a repository, and a receiver for its webhooks.
type world struct {
	*githubsim.Server
	app    *github.App
	client *github.Client
	repo   pull.Repository

	mu     sync.Mutex
	events []github.Event
	refuse bool // answer deliveries with 503
}

// clock does not wait but moves, so that no test sleeps.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
	return ctx.Err()
}

func seed() githubsim.Seed {
	files := map[string]string{"README.md": "hello\n"}
	gate := githubsim.SeedApp{
		ID: gateID, Slug: "gate", Name: "gate", Owner: "acme", Permissions: github.Permissions(), Events: github.Events(),
		Installations: []githubsim.SeedInstallation{{ID: install, Account: "acme"}},
	}
	gate.Webhook.Secret = secret
	other := githubsim.SeedApp{
		ID: otherID, Slug: "other", Name: "other", Owner: "acme", Permissions: github.Permissions(), Events: []string{},
		Installations: []githubsim.SeedInstallation{{ID: install + 1, Account: "acme"}},
	}
	return githubsim.Seed{
		Users: []githubsim.SeedUser{
			{ID: 1, Login: "acme", Type: "Organization"},
			{ID: 2, Login: "ann", Tokens: []string{"ann-token"}},
			{ID: 3, Login: "bob", Tokens: []string{"bob-token"}},
			{ID: 4, Login: "eve", Tokens: []string{"eve-token"}},
		},
		Repositories: []githubsim.SeedRepository{
			{ID: 100, Owner: "acme", Name: "gitops", Private: true, Files: files, Collaborators: map[string]string{"ann": "maintain", "bob": "triage", "eve": "read"}},
			{ID: 101, Owner: "acme", Name: "secret", Private: true, Files: files},
			{ID: 102, Owner: "eve", Name: "gitops", ForkOf: full},
		},
		Apps: []githubsim.SeedApp{gate, other},
	}
}

func newWorld(t *testing.T, change func(*githubsim.Config)) *world {
	t.Helper()
	w := &world{repo: pull.Repository{ID: 100, InstallationID: install, Owner: "acme", Name: "gitops", DefaultBranch: "main"}}
	judge := oracle.New(t)
	config := githubsim.Config{Dir: t.TempDir(), Seed: seed(), Wrap: judge.Wrap, Observe: judge.Delivery}
	if change != nil {
		change(&config)
	}
	var err error
	if w.Server, err = githubsim.New(config); err != nil {
		t.Fatal(err)
	}
	if err := w.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	w.repo.CloneURL = w.URL() + "/acme/gitops.git"
	w.app = w.appNamed(t, "gate", gateID)
	w.client = w.app.Installation(install)
	w.receive(t)
	return w
}

func (w *world) appNamed(t *testing.T, slug string, id int64) *github.App {
	t.Helper()
	key, err := w.PrivateKey(slug)
	if err != nil {
		t.Fatal(err)
	}
	a, err := github.New(github.Config{BaseURL: w.URL() + "/api/v3", AppID: id, PrivateKey: key, Clock: &clock{}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// receive has the App's webhooks received and parsed.
func (w *world) receive(t *testing.T) {
	t.Helper()
	receiver, err := webhook.New(webhook.Config{Secrets: [][]byte{[]byte(secret)}, Save: w.save})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(receiver.Handler())
	t.Cleanup(server.Close)
	if err := w.SetHookURL("gate", server.URL+webhook.Path); err != nil {
		t.Fatal(err)
	}
}

func (w *world) save(_ context.Context, d webhook.Delivery) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse {
		return false, errors.New("disk full")
	}
	event, err := github.Parse(d.Event, d.Body)
	if err == nil {
		w.events = append(w.events, event)
	} else if !errors.Is(err, github.ErrIgnored) {
		return false, err
	}
	return false, nil
}

// received flushes the deliveries and gives the events of a type so far.
func received[T github.Event](t *testing.T, w *world) []T {
	t.Helper()
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []T
	for _, event := range w.events {
		if e, ok := event.(T); ok {
			all = append(all, e)
		}
	}
	return all
}

// as sends a request as a person and decodes the answer.
func (w *world) as(t *testing.T, login, method, path string, body any) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.URL()+"/api/v3"+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+login+"-token")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode > 299 {
		t.Fatalf("%s %s as %s: %d %s", method, path, login, res.StatusCode, answer)
	}
	var decoded map[string]any
	if len(answer) > 0 && answer[0] == '{' {
		if err := json.Unmarshal(answer, &decoded); err != nil {
			t.Fatal(err)
		}
	}
	return decoded
}

// push adds a commit to a branch.
func (w *world) push(t *testing.T, repo, branch string) string {
	t.Helper()
	id, err := w.Push(t.Context(), githubsim.Push{Repository: repo, Branch: branch, Write: map[string]string{branch + ".txt": "x\n"}, Message: branch})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// open opens a pull request from a new branch and gives its number and head.
func (w *world) open(t *testing.T, branch string) (int, string) {
	t.Helper()
	head := w.push(t, full, branch)
	answer := w.as(t, "ann", http.MethodPost, "/repos/"+full+"/pulls", map[string]any{"title": "Change " + branch, "head": branch, "base": "main"})
	return int(answer["number"].(float64)), head
}

func id(t *testing.T, v any) string {
	t.Helper()
	n, ok := v.(float64)
	if !ok {
		t.Fatalf("not an id: %v", v)
	}
	return fmt.Sprintf("%.0f", n)
}

func has[T comparable](t *testing.T, all []T, want T, what string) {
	t.Helper()
	if !slices.Contains(all, want) {
		t.Errorf("%s: %v not in %v", what, want, all)
	}
}

func fails(t *testing.T, err, want error, what string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func lines(n int) string { return strings.Repeat("x\n", n) }
