package githubsim_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/githubsim"
)

func TestPullCreateRefusals(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	w.branch("empty", "b.txt", "b\n")
	alice := w.as("alice")
	for name, tt := range map[string]struct{ head, base, title, want string }{
		"unknown head":  {"nothing", "main", "t", "head"},
		"unknown base":  {"empty", "nothing", "t", "base"},
		"unknown owner": {"bob:x", "main", "t", "head"},
		"the same ends": {"bump", "main", "t", "A pull request already exists for acme:bump."},
		"no commits":    {"main", "bump", "t", "No commits between bump and main"},
		"no title":      {"empty", "main", "", "title"},
		"long title":    {"empty", "main", strings.Repeat("x", 257), "maximum is 256"},
	} {
		_, resp, err := alice.PullRequests.Create(ctx, "acme", "gitops", &github.NewPullRequest{
			Title: &tt.title, Head: &tt.head, Base: &tt.base,
		})
		if statusOf(t, resp, err) != 422 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestPullFromFork(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	sha, err := w.sim.Push(ctx, githubsim.Push{Repository: "mallory/gitops", Branch: "evil", Write: map[string]string{"x.txt": "x\n"}, Message: "x"})
	if err != nil {
		t.Fatal(err)
	}
	// The base is private: only a collaborator may open a pull request.
	pr, _, err := w.as("bob").PullRequests.Create(ctx, "acme", "gitops", &github.NewPullRequest{
		Title: github.String("From a fork"), Head: github.String("mallory:evil"), Base: github.String("main"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if pr.GetHead().GetRepo().GetID() != 102 || pr.GetHead().GetSHA() != sha {
		t.Errorf("head = %v", pr.GetHead())
	}
	dir := t.TempDir()
	mustGit(t, dir, "init", "-q", "--bare")
	mustGit(t, dir, "-c", header(w.token(nil)), "fetch", "-q", w.url+"/acme/gitops.git", "+refs/pull/1/head:refs/x")
	if got := mustGit(t, dir, "rev-parse", "refs/x"); got != sha {
		t.Errorf("refs/pull/1/head = %s, want %s", got, sha)
	}
	run := w.complete(w.asInstallation(), "mergegate / plan", sha, "failure")
	if len(run.PullRequests) != 0 || run.GetCheckSuite().GetHeadBranch() != "" {
		t.Errorf("a run on a fork's head names %v, branch %q; want neither", run.PullRequests, run.GetCheckSuite().GetHeadBranch())
	}
	if err := w.sim.DeleteRepository("mallory/gitops"); err != nil {
		t.Fatal(err)
	}
	got, _, err := w.asInstallation().PullRequests.Get(ctx, "acme", "gitops", pr.GetNumber())
	if err != nil || got.GetHead().Repo != nil || got.GetHead().GetSHA() != sha {
		t.Errorf("after the fork is gone: head = %v, %v", got.GetHead(), err)
	}
	if list, _, err := w.asInstallation().PullRequests.List(ctx, "acme", "gitops", nil); err != nil || len(list) != 1 {
		t.Errorf("list = %v, %v", list, err)
	}
}

func TestPullEdit(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	pr := w.open("bump", "a.txt", "a\n")
	w.branch("release", "b.txt", "b\n")
	edited, _, err := w.as("alice").PullRequests.Edit(ctx, "acme", "gitops", 1, &github.PullRequest{
		Base: &github.PullRequestBranch{Ref: github.String("release")}, Title: github.String("Another title"),
	})
	if err != nil || edited.GetBase().GetRef() != "release" || edited.GetTitle() != "Another title" {
		t.Fatalf("edited = %v, %v", edited, err)
	}
	if _, resp, err := w.as("bob").PullRequests.Edit(ctx, "acme", "gitops", 1, &github.PullRequest{Title: github.String("x")}); statusOf(t, resp, err) != 403 {
		t.Errorf("edit by a reader: %d, want 403", resp.StatusCode)
	}
	for _, draft := range []bool{true, false} {
		if err := w.sim.SetDraft("acme/gitops", 1, draft, "alice"); err != nil {
			t.Fatal(err)
		}
	}
	for _, state := range []string{"closed", "open"} {
		if _, _, err := w.as("alice").PullRequests.Edit(ctx, "acme", "gitops", 1, &github.PullRequest{State: &state}); err != nil {
			t.Fatal(err)
		}
	}
	w.flush()
	got := strings.Join(w.inbox.names(t), " ")
	want := "pull_request.edited pull_request.converted_to_draft pull_request.ready_for_review pull_request.closed pull_request.reopened"
	if !strings.HasSuffix(got, want) {
		t.Errorf("webhooks = %s, want ... %s", got, want)
	}
	for _, r := range w.inbox.all() {
		event, err := github.ParseWebHook(r.header.Get("X-GitHub-Event"), r.body)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := event.(*github.PullRequestEvent); ok && e.GetAction() == "edited" {
			if e.GetChanges().Base.Ref.GetFrom() != "main" || e.GetChanges().Base.SHA.GetFrom() != pr.GetBase().GetSHA() {
				t.Errorf("changes = %v", e.GetChanges())
			}
		}
	}
}

func TestMergeMethods(t *testing.T) {
	for method, parents := range map[string]int{"merge": 2, "squash": 1, "rebase": 1} {
		t.Run(method, func(t *testing.T) {
			w, ctx := newWorld(t), context.Background()
			pr := w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
			w.complete(w.asInstallation(), "mergegate / plan", pr.GetHead().GetSHA(), "success")
			// The base moves: its change must survive the merge.
			if _, err := w.sim.Push(ctx, githubsim.Push{Repository: "acme/gitops", Branch: "main", Write: map[string]string{"base.txt": "base\n"}, Message: "base"}); err != nil {
				t.Fatal(err)
			}
			result, _, err := w.as("alice").PullRequests.Merge(ctx, "acme", "gitops", 1, "", &github.PullRequestOptions{MergeMethod: method})
			if err != nil {
				t.Fatal(err)
			}
			commit, _, err := w.as("alice").Repositories.GetCommit(ctx, "acme", "gitops", result.GetSHA(), nil)
			if err != nil || len(commit.Parents) != parents {
				t.Errorf("commit = %v, %v, want %d parents", commit, err, parents)
			}
			for _, path := range []string{"base.txt", "apps/web/deployment.yaml"} {
				if _, _, _, err := w.as("alice").Repositories.GetContents(ctx, "acme", "gitops", path, nil); err != nil {
					t.Errorf("%s after the merge: %v", path, err)
				}
			}
			got, _, err := w.as("alice").PullRequests.Get(ctx, "acme", "gitops", 1)
			if err != nil || !got.GetMerged() || got.GetMergeCommitSHA() != result.GetSHA() {
				t.Errorf("pull request = %v, %v", got, err)
			}
		})
	}
}

func TestMergeRefusals(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	alice, bot := w.as("alice"), w.asInstallation()
	pr := w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
	sha := pr.GetHead().GetSHA()
	refused := func(name string, code int, want string) {
		t.Helper()
		_, resp, err := alice.PullRequests.Merge(ctx, "acme", "gitops", 1, "", nil)
		if statusOf(t, resp, err) != code || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%s: %v, want %d %q", name, err, code, want)
		}
	}
	refused("no check", 405, `"mergegate / plan" is expected`)
	w.complete(w.intruder(), "mergegate / plan", sha, "success")
	refused("another App's check", 405, "was not set by the expected GitHub App")
	if _, _, err := alice.Repositories.CreateStatus(ctx, "acme", "gitops", sha, &github.RepoStatus{Context: github.String("mergegate / plan"), State: github.String("success")}); err != nil {
		t.Fatal(err)
	}
	refused("a person's status", 405, "was not set by the expected GitHub App")
	w.complete(bot, "mergegate / plan", sha, "failure")
	refused("a failing check", 405, "is failing")
	w.complete(bot, "mergegate / plan", sha, "neutral")
	if _, resp, err := alice.PullRequests.Merge(ctx, "acme", "gitops", 1, "", &github.PullRequestOptions{SHA: strings.Repeat("1", 40)}); statusOf(t, resp, err) != 409 {
		t.Errorf("another head: %v, want 409", err)
	}
	if err := w.sim.SetDraft("acme/gitops", 1, true, "alice"); err != nil {
		t.Fatal(err)
	}
	refused("a draft", 405, "draft")
	if err := w.sim.SetDraft("acme/gitops", 1, false, "alice"); err != nil {
		t.Fatal(err)
	}
	w.branch("bump", "other.txt", "x\n")
	refused("a new head without the check", 405, "is expected")
	w.complete(bot, "mergegate / plan", w.branch("bump", "third.txt", "x\n"), "skipped")
	if _, _, err := alice.PullRequests.Merge(ctx, "acme", "gitops", 1, "", nil); err != nil {
		t.Errorf("a skipped check passes: %v", err)
	}
	refused("merged already", 405, "not mergeable")
	if _, resp, err := w.as("bob").PullRequests.Merge(ctx, "acme", "gitops", 1, "", nil); statusOf(t, resp, err) != 403 {
		t.Errorf("by a reader: %v, want 403", err)
	}
}

func TestConflict(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
	if _, err := w.sim.Push(ctx, githubsim.Push{Repository: "acme/gitops", Branch: "main", Write: map[string]string{"apps/web/deployment.yaml": "replicas: 3\n"}, Message: "other"}); err != nil {
		t.Fatal(err)
	}
	pr, _, err := w.as("alice").PullRequests.Get(ctx, "acme", "gitops", 1)
	if err != nil || pr.GetMergeable() || pr.GetMergeableState() != "dirty" {
		t.Errorf("mergeable = %v, state %s, %v", pr.GetMergeable(), pr.GetMergeableState(), err)
	}
}

func TestMergeableUnknown(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.sim.SetMergeableUnknown(2)
	w.open("bump", "a.txt", "a\n")
	var got []bool
	for range 4 {
		pr, _, err := w.as("alice").PullRequests.Get(ctx, "acme", "gitops", 1)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, pr.Mergeable != nil)
	}
	if fmt.Sprint(got) != "[false false true true]" {
		t.Errorf("mergeable known = %v, want it after two reads", got)
	}
}

// TestMergeReferenceIsStale shows why nobody should render from refs/pull/N/merge.
func TestMergeReferenceIsStale(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	read := func() string {
		ref, _, err := w.asInstallation().Git.GetRef(ctx, "acme", "gitops", "pull/1/merge")
		if err != nil {
			t.Fatal(err)
		}
		return ref.GetObject().GetSHA()
	}
	before := read()
	if _, err := w.sim.Push(ctx, githubsim.Push{Repository: "acme/gitops", Branch: "main", Write: map[string]string{"base.txt": "base\n"}, Message: "base"}); err != nil {
		t.Fatal(err)
	}
	if read() != before {
		t.Error("a push to the base moved the merge reference")
	}
	w.sim.Age("acme/gitops", 1, 13*time.Hour)
	if _, _, err := w.as("alice").PullRequests.Get(ctx, "acme", "gitops", 1); err != nil {
		t.Fatal(err)
	}
	if read() == before {
		t.Error("a merge reference of 13 hours was not made anew")
	}
}

func TestProtectionAPI(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	root := w.as("root")
	_, _, err := root.Repositories.UpdateBranchProtection(ctx, "acme", "gitops", "main", &github.ProtectionRequest{
		RequiredStatusChecks: &github.RequiredStatusChecks{Strict: true, Checks: &[]*github.RequiredStatusCheck{
			{Context: "mergegate / plan", AppID: github.Int64(7)}, {Context: "any", AppID: github.Int64(-1)},
		}},
		RequiredPullRequestReviews: &github.PullRequestReviewsEnforcementRequest{RequiredApprovingReviewCount: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := w.asInstallation().Repositories.GetBranchProtection(ctx, "acme", "gitops", "main")
	if err != nil || !got.GetRequiredStatusChecks().Strict || len(*got.GetRequiredStatusChecks().Checks) != 2 || got.GetEnforceAdmins().Enabled {
		t.Errorf("protection = %v, %v", got, err)
	}
	if b, _, err := w.asInstallation().Repositories.GetBranch(ctx, "acme", "gitops", "main", 1); err != nil || !b.GetProtected() {
		t.Errorf("branch = %v, %v", b, err)
	}
	if rules, _, err := w.asInstallation().Repositories.GetRulesForBranch(ctx, "acme", "gitops", "main"); err != nil || len(rules) != 0 {
		t.Errorf("rules = %v, %v", rules, err)
	}
	pr := w.open("bump", "a.txt", "a\n")
	w.complete(w.asInstallation(), "mergegate / plan", pr.GetHead().GetSHA(), "success")
	w.complete(w.intruder(), "any", pr.GetHead().GetSHA(), "success")
	if _, resp, err := w.as("alice").PullRequests.Merge(ctx, "acme", "gitops", 1, "", nil); statusOf(t, resp, err) != 405 || !strings.Contains(err.Error(), "At least 1 approving review") {
		t.Errorf("merge without a review: %v", err)
	}
	if _, resp, err := w.as("alice").PullRequests.CreateReview(ctx, "acme", "gitops", 1, &github.PullRequestReviewRequest{Event: github.String("APPROVE")}); statusOf(t, resp, err) != 422 {
		t.Errorf("approval of one's own: %v, want 422", err)
	}
	review, _, err := w.as("root").PullRequests.CreateReview(ctx, "acme", "gitops", 1, &github.PullRequestReviewRequest{Event: github.String("APPROVE")})
	if err != nil || review.GetState() != "APPROVED" || review.GetCommitID() != pr.GetHead().GetSHA() {
		t.Errorf("review = %v, %v", review, err)
	}
	if _, err := w.sim.Push(ctx, githubsim.Push{Repository: "acme/gitops", Branch: "main", Write: map[string]string{"base.txt": "base\n"}, Message: "base"}); err != nil {
		t.Fatal(err)
	}
	if got, _, err := w.as("alice").PullRequests.Get(ctx, "acme", "gitops", 1); err != nil || got.GetMergeableState() != "behind" {
		t.Errorf("state behind the base = %s, %v", got.GetMergeableState(), err)
	}
	if _, _, err := w.as("root").PullRequests.Merge(ctx, "acme", "gitops", 1, "", nil); err != nil {
		t.Errorf("an administrator whom protection spares: %v", err)
	}
}

func TestReads(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	pr := w.open("feature/bump", "a.txt", "a\n")
	c := w.asInstallation()
	commits, _, err := c.PullRequests.ListCommits(ctx, "acme", "gitops", 1, nil)
	if err != nil || len(commits) != 1 || commits[0].GetSHA() != pr.GetHead().GetSHA() {
		t.Errorf("commits = %v, %v", commits, err)
	}
	pulls, _, err := c.PullRequests.ListPullRequestsWithCommit(ctx, "acme", "gitops", pr.GetHead().GetSHA(), nil)
	if err != nil || len(pulls) != 1 {
		t.Errorf("pull requests of the commit = %v, %v", pulls, err)
	}
	cmp, _, err := c.Repositories.CompareCommits(ctx, "acme", "gitops", "main", "feature/bump", nil)
	if err != nil || cmp.GetStatus() != "ahead" || len(cmp.Files) != 1 {
		t.Errorf("comparison = %v, %v", cmp, err)
	}
	file, _, _, err := c.Repositories.GetContents(ctx, "acme", "gitops", "apps/web/deployment.yaml", &github.RepositoryContentGetOptions{Ref: "feature/bump"})
	if text, decodeErr := file.GetContent(); err != nil || decodeErr != nil || !strings.HasPrefix(text, "replicas: 1") {
		t.Errorf("content = %q, %v, %v", text, err, decodeErr)
	}
	if _, dir, _, err := c.Repositories.GetContents(ctx, "acme", "gitops", "apps", nil); err != nil || len(dir) != 1 {
		t.Errorf("directory = %v, %v", dir, err)
	}
	if _, dir, _, err := c.Repositories.GetContents(ctx, "acme", "gitops", "", nil); err != nil || len(dir) != 2 {
		t.Errorf("root directory = %v, %v", dir, err)
	}
	if _, _, resp, err := c.Repositories.GetContents(ctx, "acme", "gitops", "missing", nil); statusOf(t, resp, err) != 404 {
		t.Errorf("missing file: %d, want 404", resp.StatusCode)
	}
	if tree, _, err := c.Git.GetTree(ctx, "acme", "gitops", "main", true); err != nil || len(tree.Entries) != 5 {
		t.Errorf("tree = %v, %v", tree, err)
	}
	if refs, _, err := c.Git.ListMatchingRefs(ctx, "acme", "gitops", &github.ReferenceListOptions{Ref: "heads/feature"}); err != nil || len(refs) != 1 {
		t.Errorf("refs = %v, %v", refs, err)
	}
	if b, _, err := c.Repositories.GetBranch(ctx, "acme", "gitops", "feature/bump", 1); err != nil || b.GetProtected() {
		t.Errorf("branch = %v, %v", b, err)
	}
	if runs, _, err := c.Checks.ListCheckRunsForRef(ctx, "acme", "gitops", "feature/bump", nil); err != nil || runs.GetTotal() != 0 {
		t.Errorf("check runs of a branch with a slash = %v, %v", runs, err)
	}
	if u, _, err := c.Users.Get(ctx, "alice"); err != nil || u.GetID() != 11 {
		t.Errorf("user = %v, %v", u, err)
	}
	if l, _, err := c.RateLimit.Get(ctx); err != nil || l.Core.Limit != 5000 {
		t.Errorf("rate limit = %v, %v", l, err)
	}
	if code, body := w.get("/api/v3/meta", ""); code != 200 {
		t.Errorf("meta: %d %s", code, body)
	}
}

func TestRoles(t *testing.T) {
	w := newWorld(t)
	w.sim.SetRole("acme/gitops", "bob", "triage")
	token := w.token(nil)
	for login, want := range map[string]string{
		"root": `"permission":"admin","role_name":"admin"`, "alice": `"permission":"write","role_name":"write"`,
		"bob": `"permission":"read","role_name":"triage"`, "mallory": `"permission":"none","role_name":"none"`,
	} {
		code, body := w.get("/api/v3/repos/acme/gitops/collaborators/"+login+"/permission", "Bearer "+token)
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %s", login, code, body, want)
		}
	}
	if code, _ := w.get("/api/v3/repos/acme/gitops/collaborators/nobody/permission", "Bearer "+token); code != 404 {
		t.Errorf("unknown user: %d, want 404", code)
	}
}
