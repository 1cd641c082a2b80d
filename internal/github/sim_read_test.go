package github_test

import (
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/pull"
)

func TestInstallationsAndRepositories(t *testing.T) {
	w := newWorld(t, nil)
	installations, err := w.app.Installations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(installations) != 1 || installations[0].ID != install || installations[0].Account.ID != 1 || installations[0].Suspended || installations[0].Permissions["checks"] != "write" {
		t.Errorf("installations: %+v", installations)
	}
	self, err := w.app.Identity(t.Context())
	if err != nil || self.Login != "gate[bot]" || self.ID != gateID {
		t.Errorf("identity %+v, %v", self, err)
	}
	repositories, err := w.client.Repositories(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w.repo, repositories[0]); diff != "" || len(repositories) != 2 {
		t.Errorf("%d repositories, the first (-want +got):\n%s", len(repositories), diff)
	}
	found, err := w.client.Repository(t.Context(), pull.Repository{Owner: "acme", Name: "gitops"})
	if diff := cmp.Diff(w.repo, found); diff != "" || err != nil {
		t.Errorf("repository (-want +got), %v:\n%s", err, diff)
	}
	_, err = w.client.Repository(t.Context(), pull.Repository{ID: 99, Owner: "acme", Name: "gitops"})
	fails(t, err, github.ErrNotFound, "another repository with the name")
	_, err = w.client.Repository(t.Context(), pull.Repository{Owner: "eve", Name: "gitops"})
	fails(t, err, github.ErrNotFound, "repository outside the installation")
	_, err = w.app.Installation(1).Repositories(t.Context())
	fails(t, err, github.ErrNotFound, "unknown installation")
}

func TestPullRequests(t *testing.T) {
	w := newWorld(t, nil)
	base, err := w.client.BranchHead(t.Context(), w.repo, "main")
	if err != nil {
		t.Fatal(err)
	}
	number, head := w.open(t, "topic/one")
	want := pull.Request{
		Repository: w.repo, Number: number, Title: "Change topic/one", Author: pull.User{ID: 2, Login: "ann"}, State: pull.Open,
		BaseRef: "main", BaseSHA: base, HeadRef: "topic/one", HeadSHA: head,
	}
	got, err := w.client.PullRequest(t.Context(), w.repo, number)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("pull request (-want +got), %v:\n%s", err, diff)
	}
	if at, err := w.client.BranchHead(t.Context(), w.repo, "topic/one"); at != head || err != nil {
		t.Errorf("branch is at %s, %v; want %s", at, err, head)
	}
	_, err = w.client.BranchHead(t.Context(), w.repo, "topic")
	fails(t, err, github.ErrNotFound, "branch that is only a prefix")
	_, err = w.client.PullRequest(t.Context(), w.repo, 999)
	fails(t, err, github.ErrNotFound, "unknown pull request")

	containing, err := w.client.PullsForCommit(t.Context(), w.repo, head)
	if diff := cmp.Diff([]pull.Request{want}, containing); diff != "" || err != nil {
		t.Errorf("pull requests of the commit (-want +got), %v:\n%s", err, diff)
	}
	w.as(t, "ann", http.MethodPut, "/repos/"+full+"/pulls/1/merge", map[string]any{"sha": head})
	if got, err = w.client.PullRequest(t.Context(), w.repo, number); err != nil || got.State != pull.Merged {
		t.Errorf("after the merge: %s, %v", got.State, err)
	}
	if open, err := w.client.OpenPullRequests(t.Context(), w.repo); err != nil || len(open) != 0 {
		t.Errorf("open after the merge: %v, %v", open, err)
	}
}

func TestOpenPullRequestsOfForksAndDrafts(t *testing.T) {
	w := newWorld(t, nil)
	w.push(t, full, "topic")
	w.push(t, "eve/gitops", "topic")
	for _, pull := range []map[string]any{{"head": "eve:topic"}, {"head": "topic", "draft": true}} {
		pull["title"], pull["base"] = "x", "main"
		w.as(t, "eve", http.MethodPost, "/repos/"+full+"/pulls", pull)
	}
	open, err := w.client.OpenPullRequests(t.Context(), w.repo)
	if err != nil || len(open) != 2 {
		t.Fatalf("open pull requests: %+v, %v", open, err)
	}
	if !open[0].Fork || open[1].Fork || open[0].Draft || !open[1].Draft {
		t.Errorf("forks and drafts: %+v", open)
	}
}

func TestPermission(t *testing.T) {
	w := newWorld(t, nil)
	for _, test := range []struct {
		user pull.User
		want github.Level
	}{
		{pull.User{ID: 2, Login: "ann"}, github.LevelMaintain},
		{pull.User{ID: 3, Login: "bob"}, github.LevelTriage},
		{pull.User{ID: 4, Login: "eve"}, github.LevelRead},
		{pull.User{ID: 9, Login: "nobody"}, github.LevelNone},
	} {
		got, err := w.client.Permission(t.Context(), w.repo, test.user)
		if err != nil || got.Level != test.want || got.User.ID != test.user.ID {
			t.Errorf("%s: %+v, %v; want %s", test.user.Login, got, err, test.want)
		}
	}
	if got, err := w.client.Permission(t.Context(), w.repo, pull.User{ID: 5, Login: "ann"}); err == nil || got.Level != github.LevelNone {
		t.Errorf("a login that belongs to another account: %+v, %v", got, err)
	}
	if err := w.Inject(githubsim.Fault{Kind: githubsim.BeforeEffect, Path: "/repos/*/*/collaborators/*/permission", Times: -1}); err != nil {
		t.Fatal(err)
	}
	got, err := w.client.Permission(t.Context(), w.repo, pull.User{ID: 2, Login: "ann"})
	fails(t, err, github.ErrUnavailable, "permission while GitHub is down")
	if got.Level != github.LevelNone {
		t.Errorf("level %s with an error", got.Level)
	}
}

func TestGitCredentialFetches(t *testing.T) {
	for name, long := range map[string]bool{"old tokens": false, "new tokens": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *githubsim.Config) { c.LongTokens = long })
			_, head := w.open(t, "topic")
			credential, err := w.client.GitCredential(t.Context(), w.repo)
			if err != nil {
				t.Fatal(err)
			}
			fetch := func(url, ref string) (string, error) {
				return git(t, credential.Env(), "ls-remote", url, ref)
			}
			if out, err := fetch(credential.URL, "refs/pull/1/head"); err != nil || !strings.HasPrefix(out, head) {
				t.Errorf("ls-remote: %s %v", out, err)
			}
			if out, err := fetch(w.URL()+"/acme/secret.git", "HEAD"); err == nil {
				t.Errorf("another repository was readable: %s", out)
			}
			if err := w.client.Revoke(t.Context(), credential); err != nil {
				t.Fatal(err)
			}
			if out, err := fetch(credential.URL, "HEAD"); err == nil {
				t.Errorf("readable with a revoked credential: %s", out)
			}
			if err := w.client.Revoke(t.Context(), credential); err != nil {
				t.Errorf("second revoke: %v", err)
			}
		})
	}
}

func git(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(slices.Clone(cmd.Environ()), append(env, "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTokensAreKeptAndReplaced(t *testing.T) {
	w := newWorld(t, nil)
	read := func() {
		t.Helper()
		if _, err := w.client.BranchHead(t.Context(), w.repo, "main"); err != nil {
			t.Fatal(err)
		}
	}
	minted := func() int { return len(w.Requests(http.MethodPost, "/app/installations/*/access_tokens")) }
	read()
	read()
	if minted() != 1 {
		t.Errorf("%d tokens for two requests, want 1", minted())
	}
	if err := w.Inject(githubsim.Fault{Kind: githubsim.BeforeEffect, Path: "/repos/*/*/git/ref/heads/main", Status: http.StatusUnauthorized}); err != nil {
		t.Fatal(err)
	}
	read()
	if minted() != 2 {
		t.Errorf("%d tokens after one was refused, want 2", minted())
	}
}
