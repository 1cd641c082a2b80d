package github_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/pull"
)

func TestCheckRuns(t *testing.T) {
	w := newWorld(t, nil)
	_, head := w.open(t, "topic")
	queued := github.CheckRun{Name: "gate / plan", HeadSHA: head, ExternalID: "plan-1", DetailsURL: "https://gate.example.com/1", Status: github.Queued}
	run, err := w.client.CreateCheckRun(t.Context(), w.repo, queued)
	if err != nil {
		t.Fatal(err)
	}
	queued.ID, queued.AppID = run.ID, gateID
	if diff := cmp.Diff(queued, run); diff != "" || run.ID == 0 {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	update := run
	update.Status, update.Title, update.Summary = github.InProgress, "Planning", lines(3)
	for range 50 {
		update.Annotations = append(update.Annotations, github.Annotation{Path: "a.yaml", StartLine: 1, EndLine: 2, Level: github.Warning, Title: "t", Message: "m", Details: "d"})
	}
	for want := 50; want <= 100; want += 50 {
		if run, err = w.client.UpdateCheckRun(t.Context(), w.repo, update); err != nil || run.AnnotationsCount != want {
			t.Fatalf("%d annotations, %v; want %d", run.AnnotationsCount, err, want)
		}
	}
	update.Status, update.Conclusion, update.Annotations, update.Text = github.Completed, github.Failure, nil, strings.Repeat("é", github.MaxOutput/2)
	update.Actions = []github.CheckAction{{Label: "Plan again", Description: "Plan this commit again", Identifier: "plan"}}
	if _, err = w.client.UpdateCheckRun(t.Context(), w.repo, update); err != nil {
		t.Fatal(err)
	}
	got, err := w.client.CheckRun(t.Context(), w.repo, run.ID)
	update.AnnotationsCount, update.Actions = 100, nil
	if diff := cmp.Diff(update, got); diff != "" || err != nil {
		t.Errorf("read back (-want +got), %v:\n%s", err, diff)
	}
}

func TestFindCheckRuns(t *testing.T) {
	w := newWorld(t, nil)
	_, head := w.open(t, "topic")
	other := w.appNamed(t, "other", otherID).Installation(install + 1)
	create := func(c *github.Client, name, external string) int64 {
		t.Helper()
		run, err := c.CreateCheckRun(t.Context(), w.repo, github.CheckRun{Name: name, HeadSHA: head, ExternalID: external, Status: github.Queued})
		if err != nil {
			t.Fatal(err)
		}
		return run.ID
	}
	first := create(w.client, "gate / plan", "1")
	create(w.client, "gate / policy", "1")
	create(other, "gate / plan", "1")
	second := create(w.client, "gate / plan", "2")
	for external, want := range map[string][]int64{"": {first, second}, "1": {first}, "2": {second}, "3": nil} {
		runs, err := w.client.FindCheckRuns(t.Context(), w.repo, head, "gate / plan", external)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, run := range runs {
			got = append(got, run.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("external id %q (-want +got):\n%s", external, diff)
		}
	}
}

func TestCheckRunsThatAreNotSent(t *testing.T) {
	w := newWorld(t, nil)
	good := github.CheckRun{Name: "x", HeadSHA: strings.Repeat("a", 40), Status: github.Completed, Conclusion: github.Success, Title: "t", Summary: "s"}
	for name, change := range map[string]func(*github.CheckRun){
		"neutral":              func(r *github.CheckRun) { r.Conclusion = "neutral" },
		"skipped":              func(r *github.CheckRun) { r.Conclusion = "skipped" },
		"no conclusion":        func(r *github.CheckRun) { r.Conclusion = "" },
		"early conclusion":     func(r *github.CheckRun) { r.Status = github.InProgress },
		"no name":              func(r *github.CheckRun) { r.Name = "" },
		"short head":           func(r *github.CheckRun) { r.HeadSHA = "abc1234" },
		"no title":             func(r *github.CheckRun) { r.Title = "" },
		"text alone":           func(r *github.CheckRun) { r.Title, r.Summary, r.Text = "", "", "x" },
		"long summary":         func(r *github.CheckRun) { r.Summary = strings.Repeat("é", 32768) },
		"long text":            func(r *github.CheckRun) { r.Text = strings.Repeat("x", 65536) },
		"many annotations":     func(r *github.CheckRun) { r.Annotations = make([]github.Annotation, 51) },
		"many actions":         func(r *github.CheckRun) { r.Actions = make([]github.CheckAction, 4) },
		"repository with path": nil,
	} {
		run, repo := good, w.repo
		if change == nil {
			repo.Name = "../x"
		} else {
			change(&run)
		}
		if _, err := w.client.CreateCheckRun(t.Context(), repo, run); err == nil {
			t.Errorf("%s: created", name)
		}
		if _, err := w.client.UpdateCheckRun(t.Context(), repo, run); err == nil {
			t.Errorf("%s: updated", name)
		}
	}
	if n := len(w.Requests("", "/repos/*/*/check-runs*")); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestComments(t *testing.T) {
	const marker = "<!-- gate:plan -->"
	w := newWorld(t, nil)
	number, _ := w.open(t, "topic")
	comments := "/repos/" + full + "/issues/1/comments"
	w.as(t, "eve", http.MethodPost, comments, map[string]any{"body": marker})
	other := w.appNamed(t, "other", otherID).Installation(install + 1)
	if _, err := other.CreateComment(t.Context(), w.repo, number, marker); err != nil {
		t.Fatal(err)
	}
	if found, ok, err := w.client.FindComment(t.Context(), w.repo, number, marker); ok || err != nil {
		t.Fatalf("a comment of somebody else was taken for ours: %+v, %v", found, err)
	}
	if _, err := w.client.CreateComment(t.Context(), w.repo, number, "another of ours"); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		w.as(t, "bob", http.MethodPost, comments, map[string]any{"body": "x"})
	}
	ours, err := w.client.CreateComment(t.Context(), w.repo, number, "plan "+marker)
	if err != nil {
		t.Fatal(err)
	}
	found, ok, err := w.client.FindComment(t.Context(), w.repo, number, marker)
	if diff := cmp.Diff(ours, found); diff != "" || !ok || err != nil {
		t.Errorf("found %v, %v (-want +got):\n%s", ok, err, diff)
	}
	if ours.AppID != gateID || ours.Author.Login != "gate[bot]" || !ours.Author.Bot {
		t.Errorf("our comment: %+v", ours)
	}
	updated, err := w.client.UpdateComment(t.Context(), w.repo, ours.ID, "new "+marker)
	if err != nil || updated.Body != "new "+marker || updated.ID != ours.ID {
		t.Errorf("updated: %+v, %v", updated, err)
	}
	read, err := w.client.Comment(t.Context(), w.repo, ours.ID)
	if diff := cmp.Diff(updated, read); diff != "" || err != nil {
		t.Errorf("read (-want +got), %v:\n%s", err, diff)
	}
	for range 2 {
		if err := w.client.React(t.Context(), w.repo, ours.ID, github.ReactionEyes); err != nil {
			t.Error(err)
		}
	}
	_, err = w.client.UpdateComment(t.Context(), w.repo, 5, "x")
	fails(t, err, github.ErrNotFound, "comment that is gone")
	for _, bad := range []string{"", strings.Repeat("x", github.MaxComment+1)} {
		if _, err := w.client.CreateComment(t.Context(), w.repo, number, bad); err == nil {
			t.Errorf("a comment of %d characters was sent", len(bad))
		}
	}
	if _, err := w.client.CreateComment(t.Context(), w.repo, number, strings.Repeat("é", github.MaxComment)); err != nil {
		t.Errorf("the longest comment: %v", err)
	}
}

// TestLostAnswers is how callers use Uncertain: they look, and find exactly one.
func TestLostAnswers(t *testing.T) {
	const marker = "<!-- gate -->"
	w := newWorld(t, nil)
	for _, kind := range []githubsim.FaultKind{githubsim.BeforeEffect, githubsim.AfterEffect, githubsim.Truncate} {
		t.Run(string(kind), func(t *testing.T) {
			number, head := w.open(t, string(kind))
			for _, path := range []string{"/repos/*/*/issues/*/comments", "/repos/*/*/check-runs"} {
				if err := w.Inject(githubsim.Fault{Kind: kind, Method: http.MethodPost, Path: path}); err != nil {
					t.Fatal(err)
				}
			}
			happened := kind != githubsim.BeforeEffect
			var uncertain *github.Uncertain
			if _, err := w.client.CreateComment(t.Context(), w.repo, number, marker); !errors.As(err, &uncertain) {
				t.Errorf("comment: got %v, want Uncertain", err)
			}
			if _, ok, err := w.client.FindComment(t.Context(), w.repo, number, marker); ok != happened || err != nil {
				t.Errorf("comment found: %v, %v; want %v", ok, err, happened)
			}
			run := github.CheckRun{Name: "x", HeadSHA: head, ExternalID: "1", Status: github.Queued}
			if _, err := w.client.CreateCheckRun(t.Context(), w.repo, run); !errors.As(err, &uncertain) {
				t.Errorf("check run: got %v, want Uncertain", err)
			}
			if runs, err := w.client.FindCheckRuns(t.Context(), w.repo, head, "x", "1"); (len(runs) == 1) != happened || err != nil {
				t.Errorf("check runs found: %v, %v; want %v", runs, err, happened)
			}
		})
	}
}

func TestLimitsOfTheSimulator(t *testing.T) {
	w := newWorld(t, nil)
	for name, fault := range map[string]githubsim.Fault{
		"primary":                        {Kind: githubsim.PrimaryLimit, RetryAfter: 60},
		"primary 429":                    {Kind: githubsim.PrimaryLimit, Status: 429, RetryAfter: 60},
		"secondary":                      {Kind: githubsim.SecondaryLimit},
		"secondary 429 with Retry-After": {Kind: githubsim.SecondaryLimit, Status: 429, RetryAfter: 60},
	} {
		t.Run(name, func(t *testing.T) {
			fault.Path = "/repos/*/*/git/ref/heads/main"
			if err := w.Inject(fault); err != nil {
				t.Fatal(err)
			}
			unlimited := w.appNamed(t, "gate", gateID).Installation(install)
			var limit *github.RateLimited
			if _, err := unlimited.BranchHead(t.Context(), w.repo, "main"); !errors.As(err, &limit) || limit.Until.IsZero() {
				t.Errorf("got %v, want RateLimited", err)
			}
		})
	}
}

func TestOlderInstallationLacksAPermission(t *testing.T) {
	w := newWorld(t, func(c *githubsim.Config) {
		c.Seed.Apps[0].Installations[0].Permissions = map[string]string{"metadata": "read", "contents": "read", "pull_requests": "read", "checks": "read"}
	})
	if _, err := w.client.BranchHead(t.Context(), w.repo, "main"); err != nil {
		t.Error(err)
	}
	_, err := w.client.CreateComment(t.Context(), pull.Repository{ID: 100, Owner: "acme", Name: "gitops"}, 1, "x")
	fails(t, err, github.ErrInvalid, "token for report")
}
