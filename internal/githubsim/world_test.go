package githubsim_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/githubsim/oracle"
)

const seedText = `
users:
  - {login: acme, id: 1, type: Organization}
  - {login: alice, id: 11, tokens: [alice-token]}
  - {login: bob, id: 12, tokens: [bob-token]}
  - {login: mallory, id: 13, tokens: [mallory-token]}
  - {login: root, id: 14, tokens: [root-token]}
repositories:
  - owner: acme
    name: gitops
    id: 100
    private: true
    collaborators: {alice: write, bob: read, root: admin}
    files:
      apps/web/kustomization.yaml: "resources: [deployment.yaml]\n"
      apps/web/deployment.yaml: "replicas: 1\nimage: web:1\n"
      README.md: "# gitops\n"
    protection:
      - branch: main
        enforce_admins: true
        checks: [{context: mergegate / plan, app_id: 7}]
  - {owner: acme, name: other, id: 101, private: true, files: {a.txt: "a\n"}}
  - {owner: mallory, name: gitops, id: 102, fork_of: acme/gitops}
apps:
  - id: 7
    slug: mergegate
    owner: acme
    webhook: {secret: "It's a Secret to Everybody"}
    permissions: {contents: write, pull_requests: write, checks: write, statuses: write, issues: read, administration: write, merge_queues: read}
    events: [pull_request, pull_request_review, push, check_run, check_suite, issue_comment, merge_group]
    installations: [{id: 70, account: acme, repositories: [gitops]}]
  - id: 8
    slug: intruder
    owner: mallory
    permissions: {checks: write, contents: read, pull_requests: read}
    installations: [{id: 80, account: acme}]
`

// appKeys are made once: generating RSA keys is the slowest part of a test.
var appKeys = sync.OnceValue(func() [2]string {
	var out [2]string
	for i := range out {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			continue // an empty key makes the simulator generate one
		}
		out[i] = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	}
	return out
})

// world is a simulator under the oracle, with a receiver for its webhooks.
type world struct {
	t     *testing.T
	sim   *githubsim.Server
	url   string
	inbox *inbox
	pem   []byte
}

func newWorld(t *testing.T, options ...oracle.Option) *world {
	t.Helper()
	return newWorldWith(t, func(*githubsim.Config) {}, options...)
}

func newWorldWith(t *testing.T, change func(*githubsim.Config), options ...oracle.Option) *world {
	t.Helper()
	seed, err := githubsim.ParseSeed([]byte(seedText))
	if err != nil {
		t.Fatal(err)
	}
	o := oracle.New(t, options...)
	w := &world{t: t, inbox: newInbox(t)}
	seed.Apps[0].Webhook.URL = w.inbox.url
	for i := range seed.Apps {
		seed.Apps[i].PrivateKey = appKeys()[i]
	}
	config := githubsim.Config{Dir: t.TempDir(), Seed: seed, Observe: o.Delivery}
	change(&config)
	w.sim, err = githubsim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(o.Wrap(w.sim))
	w.url = server.URL
	w.sim.SetURL(server.URL)
	t.Cleanup(func() {
		server.Close()
		if err := w.sim.Close(); err != nil {
			t.Error(err)
		}
	})
	if w.pem, err = w.sim.PrivateKey("mergegate"); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) flush() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := w.sim.Flush(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) client(rt http.RoundTripper) *github.Client {
	w.t.Helper()
	c, err := github.NewClient(&http.Client{Transport: rt}).WithEnterpriseURLs(w.url, w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) asApp() *github.Client {
	w.t.Helper()
	rt, err := ghinstallation.NewAppsTransport(http.DefaultTransport, 7, w.pem)
	if err != nil {
		w.t.Fatal(err)
	}
	rt.BaseURL = w.url + "/api/v3"
	return w.client(rt)
}

func (w *world) asInstallation() *github.Client {
	w.t.Helper()
	return w.client(w.installation(nil))
}

func (w *world) installation(options *github.InstallationTokenOptions) *ghinstallation.Transport {
	w.t.Helper()
	rt, err := ghinstallation.New(http.DefaultTransport, 7, 70, w.pem)
	if err != nil {
		w.t.Fatal(err)
	}
	rt.BaseURL = w.url + "/api/v3"
	rt.InstallationTokenOptions = options
	return rt
}

// intruder is another App that is installed on everything acme has.
func (w *world) intruder() *github.Client {
	w.t.Helper()
	key, err := w.sim.PrivateKey("intruder")
	if err != nil {
		w.t.Fatal(err)
	}
	rt, err := ghinstallation.New(http.DefaultTransport, 8, 80, key)
	if err != nil {
		w.t.Fatal(err)
	}
	rt.BaseURL = w.url + "/api/v3"
	return w.client(rt)
}

func (w *world) as(login string) *github.Client {
	w.t.Helper()
	c, err := github.NewClient(nil).WithAuthToken(login+"-token").WithEnterpriseURLs(w.url, w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// branch pushes one file to a new branch of acme/gitops.
func (w *world) branch(name, path, content string) string {
	w.t.Helper()
	sha, err := w.sim.Push(context.Background(), githubsim.Push{
		Repository: "acme/gitops", Branch: name, By: "alice", Write: map[string]string{path: content}, Message: "Change " + path,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return sha
}

// open makes a branch and a pull request to main.
func (w *world) open(branch, path, content string) *github.PullRequest {
	w.t.Helper()
	w.branch(branch, path, content)
	p, _, err := w.as("alice").PullRequests.Create(context.Background(), "acme", "gitops", &github.NewPullRequest{
		Title: github.String("Change " + path), Head: github.String(branch), Base: github.String("main"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) complete(c *github.Client, name, sha, conclusion string) *github.CheckRun {
	w.t.Helper()
	run, _, err := c.Checks.CreateCheckRun(context.Background(), "acme", "gitops", github.CreateCheckRunOptions{
		Name: name, HeadSHA: sha, Conclusion: github.String(conclusion), Status: github.String("completed"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return run
}

// git runs git outside the simulator, as a client.
func git(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func mustGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := git(t, dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// inbox receives webhooks.
type inbox struct {
	url string
	mu  sync.Mutex
	got []received
	// status is what it answers; 0 means 202.
	status int
}

type received struct {
	header http.Header
	body   []byte
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{}
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	in.url = server.URL + "/hook"
	return in
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.got = append(in.got, received{r.Header.Clone(), body})
	if in.status != 0 {
		w.WriteHeader(in.status)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

func (in *inbox) answer(status int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.status = status
}

func (in *inbox) all() []received {
	in.mu.Lock()
	defer in.mu.Unlock()
	return append([]received(nil), in.got...)
}

// names lists what came in as event or event.action.
func (in *inbox) names(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, r := range in.all() {
		event, err := github.ParseWebHook(r.header.Get("X-GitHub-Event"), r.body)
		if err != nil {
			t.Fatalf("go-github cannot parse %s: %v", r.header.Get("X-GitHub-Event"), err)
		}
		name := r.header.Get("X-GitHub-Event")
		if a, ok := event.(interface{ GetAction() string }); ok && a.GetAction() != "" {
			name += "." + a.GetAction()
		}
		out = append(out, name)
	}
	return out
}

func statusOf(t *testing.T, resp *github.Response, err error) int {
	t.Helper()
	if resp == nil {
		t.Fatalf("no response: %v", err)
	}
	return resp.StatusCode
}
