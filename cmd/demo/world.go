package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/githubsim"
)

const (
	owner      = "acme"
	appID      = 4242
	slug       = "mergegate"
	bot        = slug + "[bot]"
	hookSecret = "the demo's webhook secret"
	planCheck  = "mergegate / plan"
	judgeCheck = "mergegate / policy"
	// agent marks the demo's own requests, which are people's, so that mergegate's can be told apart.
	agent = "mergegate-demo"
)

// stopGrace is how long mergegate may take to end. What it leaves undone is thrown away with its data.
const stopGrace = 10 * time.Second

// world is the local GitHub, clusters, and mergegate: the latter run as processes of their own.
type world struct {
	dir, binary string
	patience    time.Duration
	github      *githubsim.Server
	clusters    []*cluster
	traffic     traffic
	address     string // where mergegate listens
	process     *exec.Cmd
	ended       chan struct{} // closed when the process has ended
	endedAs     error         // of the process; read it only after ended is closed
}

// startGitHub starts the local GitHub with one repository, which holds what lies in the directory from,
// and with mergegate's App installed.
func (w *world) startGitHub(ctx context.Context, repository, from string) error {
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	w.address, w.traffic.changed = address, make(chan struct{}, 1)
	app := githubsim.SeedApp{
		ID: appID, Slug: slug, Name: slug, Owner: owner, Permissions: github.Permissions(), Events: github.Events(),
		Installations: []githubsim.SeedInstallation{{ID: 77, Account: owner}},
	}
	app.Webhook.URL, app.Webhook.Secret = "http://"+address+"/webhook", hookSecret
	required := []githubsim.SeedCheck{{Context: planCheck, AppID: appID}, {Context: judgeCheck, AppID: appID}}
	w.github, err = githubsim.New(githubsim.Config{ //nolint:contextcheck // it lives until close, longer than any one context
		Dir: filepath.Join(w.dir, "github"), Wrap: w.traffic.watch,
		Seed: githubsim.Seed{
			Users: []githubsim.SeedUser{
				{ID: 1, Login: owner, Type: "Organization"},
				{ID: 2, Login: "ann", Tokens: []string{"ann-token"}},
				{ID: 3, Login: "ben", Tokens: []string{"ben-token"}},
			},
			Repositories: []githubsim.SeedRepository{{
				ID: 100, Owner: owner, Name: repository, From: from,
				Collaborators: map[string]string{"ann": "write", "ben": "maintain"},
				Protection:    []githubsim.SeedProtection{{Branch: "main", Checks: required}},
			}},
			Apps: []githubsim.SeedApp{app},
		},
	})
	if err != nil {
		return fmt.Errorf("make the local GitHub: %w", err)
	}
	if err := w.github.Start("127.0.0.1:0"); err != nil {
		return fmt.Errorf("start the local GitHub: %w", err)
	}
	return nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// startMergegate starts the program and waits until it answers.
func (w *world) startMergegate(ctx context.Context) error {
	key, err := w.github.PrivateKey(slug)
	if err != nil {
		return fmt.Errorf("read the App's key: %w", err)
	}
	home := filepath.Join(w.dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return fmt.Errorf("make a home for mergegate: %w", err)
	}
	log, err := os.Create(w.logFile())
	if err != nil {
		return fmt.Errorf("make mergegate's log: %w", err)
	}
	defer log.Close() //nolint:errcheck // the process has its own handle of it
	binary, err := filepath.Abs(w.binary)
	if err != nil {
		return fmt.Errorf("find %s: %w", w.binary, err)
	}
	// Not bound to the context: an interrupt lets it end by itself, and close sees to it that it does.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), binary, "serve")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home,
		"MERGEGATE_LISTEN=" + w.address, "MERGEGATE_PUBLIC_URL=http://" + w.address, "MERGEGATE_DATA_DIR=" + filepath.Join(w.dir, "data"),
		"MERGEGATE_GITHUB_URL=" + w.github.URL(), "MERGEGATE_GITHUB_API_URL=" + w.github.URL() + "/api/v3",
		"MERGEGATE_GITHUB_APP_ID=" + strconv.Itoa(appID), "MERGEGATE_GITHUB_PRIVATE_KEY=" + string(key),
		"MERGEGATE_GITHUB_WEBHOOK_SECRETS=" + hookSecret, "MERGEGATE_GITHUB_WRITE_INTERVAL=0s", "MERGEGATE_LOG_FORMAT=text",
	}
	if len(w.clusters) > 0 {
		cmd.Env = append(cmd.Env, "MERGEGATE_CLUSTERS_KUBECONFIG="+w.kubeconfig())
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start mergegate: %w", err)
	}
	w.process, w.ended = cmd, make(chan struct{})
	go func() {
		w.endedAs = cmd.Wait()
		close(w.ended)
	}()
	return w.wait(ctx, "mergegate answers", w.ready)
}

func (w *world) logFile() string { return filepath.Join(w.dir, "mergegate.log") }

func (w *world) ready(ctx context.Context) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.address+"/readyz", nil)
	if err != nil {
		return false, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, nil //nolint:nilerr // it does not listen yet
	}
	return res.StatusCode == http.StatusOK, res.Body.Close()
}

// wait waits until done says so. It asks again whenever mergegate has called GitHub, and now and then.
func (w *world) wait(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(w.patience)
	defer deadline.Stop()
	for {
		if ok, err := done(ctx); ok || err != nil {
			return err
		}
		select {
		case <-w.traffic.changed:
		case <-tick.C:
		case <-w.ended:
			if err := interrupted(ctx); err != nil {
				return err
			}
			return fmt.Errorf("waited until %s, but mergegate ended: %w", what, w.endError())
		case <-deadline.C:
			return fmt.Errorf("waited %s in vain until %s", w.patience, what)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// interrupted is the context's error, when it has one or gets it at once: an interrupt from the keyboard
// reaches mergegate as well, which may be the faster one to end.
func interrupted(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Second):
		return nil
	}
}

func (w *world) endError() error {
	if w.endedAs == nil {
		return errors.New("exit status 0")
	}
	return w.endedAs
}

// logTail is the end of mergegate's log, line by line.
func (w *world) logTail(most int) []string {
	data, err := os.ReadFile(w.logFile())
	if err != nil || len(bytes.TrimSpace(data)) == 0 {
		return nil // it did not come to a log
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	lines = lines[max(0, len(lines)-most):]
	for i, l := range lines {
		lines[i] = clean(l)
	}
	return lines
}

// close stops everything and removes what it left on disk.
func (w *world) close() error {
	var errs []error
	if w.process != nil {
		errs = append(errs, w.stopMergegate())
	}
	errs = append(errs, each(w.clusters, (*cluster).stop))
	if w.github != nil {
		errs = append(errs, w.github.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}

func (w *world) stopMergegate() error {
	select {
	case <-w.ended:
		return nil
	default:
	}
	if err := w.process.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop mergegate: %w", err)
	}
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-w.ended:
		return nil
	case <-grace.C:
	}
	if err := w.process.Process.Kill(); err != nil {
		return fmt.Errorf("stop mergegate: %w", err)
	}
	<-w.ended
	return fmt.Errorf("mergegate did not stop within %s and was killed", stopGrace)
}

// traffic counts what mergegate asks of GitHub.
type traffic struct {
	changed chan struct{} // has something when there was a request since it was last looked at
	mu      sync.Mutex
	reads   int
	writes  int
	git     int
}

// watch counts the requests that are not the demo's own.
func (t *traffic) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(rw, r)
		if r.UserAgent() == agent {
			return
		}
		t.count(r)
		select {
		case t.changed <- struct{}{}:
		default: // somebody has been told already
		}
	})
}

func (t *traffic) count(r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !strings.HasPrefix(r.URL.Path, "/api/"):
		if strings.Contains(r.URL.Path, ".git/") {
			t.git++
		}
	case slices.Contains([]string{http.MethodGet, http.MethodHead}, r.Method):
		t.reads++
	default:
		t.writes++
	}
}

// counts are the requests so far: REST and GraphQL that read, those that write, and git.
func (t *traffic) counts() (reads, writes, git int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reads, t.writes, t.git
}
