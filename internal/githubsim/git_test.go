package githubsim_test

import (
	"context"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/githubsim"
)

// header gives git the token as GitHub wants it: Basic, user x-access-token.
func header(token string) string {
	return "http.extraHeader=Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte("x-access-token:"+token))
}

func (w *world) token(permissions *github.InstallationPermissions) string {
	w.t.Helper()
	token, err := w.installation(&github.InstallationTokenOptions{Permissions: permissions}).Token(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func TestGitRead(t *testing.T) {
	w := newWorld(t)
	pr := w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
	auth := header(w.token(&github.InstallationPermissions{Contents: github.String("read")}))
	remote := w.url + "/acme/gitops.git"

	t.Run("clone", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "clone")
		mustGit(t, "", "-c", auth, "clone", "-q", remote, dir)
		if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
			t.Error(err)
		}
	})
	t.Run("shallow and partial", func(t *testing.T) {
		dir := t.TempDir()
		mustGit(t, dir, "init", "-q", "--bare")
		mustGit(t, dir, "-c", auth, "fetch", "-q", "--depth=1", "--filter=blob:none", remote, "+refs/heads/main:refs/heads/main", "+refs/pull/1/head:refs/pull/1/head")
		if got := mustGit(t, dir, "rev-parse", "refs/pull/1/head"); got != pr.GetHead().GetSHA() {
			t.Errorf("refs/pull/1/head = %s, want %s", got, pr.GetHead().GetSHA())
		}
	})
	t.Run("by id", func(t *testing.T) {
		dir := t.TempDir()
		mustGit(t, dir, "init", "-q", "--bare")
		mustGit(t, dir, "-c", auth, "fetch", "-q", remote, pr.GetHead().GetSHA())
		if got := mustGit(t, dir, "rev-parse", "FETCH_HEAD"); got != pr.GetHead().GetSHA() {
			t.Errorf("FETCH_HEAD = %s, want %s", got, pr.GetHead().GetSHA())
		}
	})
	t.Run("protocol 2", func(t *testing.T) {
		t.Setenv("GIT_TRACE_PACKET", "1")
		out := mustGit(t, "", "-c", auth, "-c", "protocol.version=2", "ls-remote", remote)
		if !strings.Contains(out, "version 2") {
			t.Errorf("the server did not speak protocol version 2")
		}
	})
}

func TestGitRefusals(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name, args, want string
		repo             string
	}{
		{"nobody", "", "could not read Username", "acme/gitops"},
		{"wrong token", header("ghs_wrong"), "could not read Username", "acme/gitops"},
		{"outside the installation", header(w.token(nil)), "not found", "acme/other"},
		{"no contents permission", header(w.token(&github.InstallationPermissions{Checks: github.String("write")})), "403", "acme/gitops"},
		{"stranger", header("mallory-token"), "not found", "acme/gitops"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"-c", "credential.helper=", "ls-remote", w.url + "/" + tt.repo + ".git"}
			if tt.args != "" {
				args = append([]string{"-c", tt.args}, args...)
			}
			out, err := git(t, "", args...)
			if err == nil || !strings.Contains(out, tt.want) {
				t.Errorf("err %v, output %q, want %q", err, out, tt.want)
			}
		})
	}
}

func (w *world) clone(token string) string {
	w.t.Helper()
	dir := filepath.Join(w.t.TempDir(), "work")
	mustGit(w.t, "", "-c", header(token), "clone", "-q", w.url+"/acme/gitops.git", dir)
	mustGit(w.t, dir, "config", "http.extraHeader", strings.TrimPrefix(header(token), "http.extraHeader="))
	return dir
}

func TestGitPushMovesPullRequest(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	pr := w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
	dir := w.clone("alice-token")
	mustGit(t, dir, "checkout", "-q", "bump")
	mustGit(t, dir, "commit", "-q", "--allow-empty", "-m", "more")
	mustGit(t, dir, "push", "-q", "origin", "bump")
	want := mustGit(t, dir, "rev-parse", "HEAD")
	got, _, err := w.asInstallation().PullRequests.Get(ctx, "acme", "gitops", pr.GetNumber())
	if err != nil || got.GetHead().GetSHA() != want {
		t.Errorf("head = %s (%v), want %s", got.GetHead().GetSHA(), err, want)
	}
	if got := mustGit(t, dir, "ls-remote", "origin", "refs/pull/1/head"); !strings.HasPrefix(got, want) {
		t.Errorf("refs/pull/1/head = %s, want %s", got, want)
	}
	w.flush()
	names := w.inbox.names(t)
	if tail := strings.Join(names[len(names)-3:], " "); tail != "push check_suite.requested pull_request.synchronize" {
		t.Errorf("webhooks end with %s", tail)
	}
}

func TestGitForcePush(t *testing.T) {
	w := newWorld(t)
	w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
	dir := w.clone("alice-token")
	mustGit(t, dir, "checkout", "-q", "-b", "again", "origin/main")
	mustGit(t, dir, "commit", "-q", "--allow-empty", "-m", "other")
	mustGit(t, dir, "push", "-q", "--force", "origin", "again:bump")
	w.flush()
	var forced bool
	for _, r := range w.inbox.all() {
		event, err := github.ParseWebHook(r.header.Get("X-GitHub-Event"), r.body)
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := event.(*github.PushEvent); ok {
			forced = p.GetForced()
		}
	}
	if !forced {
		t.Error("the last push is not marked as forced")
	}
}

func TestGitPushRefusals(t *testing.T) {
	w := newWorld(t)
	w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
	dir := w.clone("alice-token")
	mustGit(t, dir, "commit", "-q", "--allow-empty", "-m", "direct")
	for name, tt := range map[string]struct{ refspec, want string }{
		"protected branch":        {"HEAD:main", "GH006: Protected branch update failed for refs/heads/main"},
		"pull request reference":  {"HEAD:refs/pull/1/head", "deny updating a hidden ref"},
		"pull request test merge": {"HEAD:refs/pull/1/merge", "deny updating a hidden ref"},
	} {
		out, err := git(t, dir, "push", "--force", "origin", tt.refspec)
		if err == nil || !strings.Contains(out, tt.want) {
			t.Errorf("%s: err %v, output %q, want %q", name, err, out, tt.want)
		}
	}
	out, err := git(t, dir, "-c", header("bob-token"), "-c", "http.extraHeader=", "-c", header("bob-token"), "push", "origin", "HEAD:refs/heads/x")
	if err == nil || !strings.Contains(out, "403") {
		t.Errorf("push by a reader: err %v, output %q, want 403", err, out)
	}
}

func TestGitPushOfCheckedCommit(t *testing.T) {
	w := newWorld(t)
	pr := w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
	w.complete(w.asInstallation(), "mergegate / plan", pr.GetHead().GetSHA(), "success")
	dir := w.clone("alice-token")
	mustGit(t, dir, "push", "-q", "origin", "origin/bump:main")
	got, _, err := w.asInstallation().PullRequests.Get(context.Background(), "acme", "gitops", pr.GetNumber())
	if err != nil || !got.GetMerged() {
		t.Errorf("merged = %v (%v), want the push to have merged it", got.GetMerged(), err)
	}
}

func TestGitFaults(t *testing.T) {
	w := newWorld(t)
	w.open("bump", "a.txt", "a\n")
	auth, remote := header(w.token(nil)), w.url+"/acme/gitops.git"
	if err := w.sim.Inject(githubsim.Fault{Kind: githubsim.BeforeEffect, Status: 503, Path: "/acme/gitops.git/info/refs"}); err != nil {
		t.Fatal(err)
	}
	if out, err := git(t, "", "-c", auth, "ls-remote", remote); err == nil || !strings.Contains(out, "503") {
		t.Errorf("err %v, output %q, want 503", err, out)
	}
	before := mustGit(t, "", "-c", auth, "ls-remote", remote, "refs/heads/bump")
	w.sim.Before("GET", "/acme/gitops.git/info/refs", func() { w.branch("bump", "b.txt", "b\n") })
	if after := mustGit(t, "", "-c", auth, "ls-remote", remote, "refs/heads/bump"); after == before {
		t.Error("the head did not move before git looked")
	}
}
