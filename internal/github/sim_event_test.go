package github_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/githubsim"
	"github.com/mergegate/mergegate/internal/pull"
)

func TestEventsOfAPullRequest(t *testing.T) {
	w := newWorld(t, nil)
	number, first := w.open(t, "topic")
	one := "/repos/" + full + "/pulls/1"
	second := w.push(t, full, "topic")
	w.push(t, full, "release")
	w.as(t, "ann", http.MethodPatch, one, map[string]any{"base": "release"})
	w.as(t, "ann", http.MethodPatch, one, map[string]any{"title": "New title"})
	w.as(t, "ann", http.MethodPatch, one, map[string]any{"state": "closed"})
	w.as(t, "ann", http.MethodPatch, one, map[string]any{"state": "open"})
	w.as(t, "ann", http.MethodPut, one+"/merge", map[string]any{})

	type seen struct{ Action, Head, Base, Before, BaseBefore, State string }
	var got []seen
	for _, e := range received[*github.PullRequestEvent](t, w) {
		got = append(got, seen{e.Action, e.Request.HeadSHA, e.Request.BaseRef, e.Before, e.BaseBefore, string(e.Request.State)})
		if e.Request.Number != number || e.Request.Repository.InstallationID != install || e.Sender.ID == 0 || e.Request.Fork {
			t.Errorf("event: %+v", e)
		}
	}
	want := []seen{
		{"opened", first, "main", "", "", "open"},
		{"synchronize", second, "main", first, "", "open"},
		{"edited", second, "release", "", "main", "open"},
		{"edited", second, "release", "", "", "open"},
		{"closed", second, "release", "", "", "closed"},
		{"reopened", second, "release", "", "", "open"},
		{"closed", second, "release", "", "", "merged"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	pushes := received[*github.PushEvent](t, w)
	last := pushes[len(pushes)-1]
	if last.Branch() != "release" || last.Repository.ID != 100 || last.Before == "" || last.Forced || last.Deleted {
		t.Errorf("push of the merge: %+v", last)
	}
}

func TestEventOfAFork(t *testing.T) {
	w := newWorld(t, nil)
	head := w.push(t, "eve/gitops", "topic")
	w.as(t, "eve", http.MethodPost, "/repos/"+full+"/pulls", map[string]any{"title": "x", "head": "eve:topic", "base": "main"})
	events := received[*github.PullRequestEvent](t, w)
	if len(events) != 1 || !events[0].Request.Fork || events[0].Request.HeadSHA != head {
		t.Fatalf("events: %+v", events)
	}
	if _, err := w.client.CreateCheckRun(t.Context(), w.repo, github.CheckRun{Name: "x", HeadSHA: head, Status: github.Queued}); err != nil {
		t.Errorf("check run on the fork's head: %v", err)
	}
}

func TestEventsOfChecksAndComments(t *testing.T) {
	w := newWorld(t, nil)
	number, head := w.open(t, "topic")
	run, err := w.client.CreateCheckRun(t.Context(), w.repo, github.CheckRun{
		Name: "gate / plan", HeadSHA: head, ExternalID: "plan-1", Status: github.Completed, Conclusion: github.Failure, Title: "t", Summary: "s",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.as(t, "ann", http.MethodPost, "/repos/"+full+"/check-runs/"+id(t, float64(run.ID))+"/rerequest", nil)
	again := received[*github.CheckRunEvent](t, w)
	if len(again) != 1 || again[0].Action != github.Rerequested || again[0].Run.ExternalID != "plan-1" || again[0].Run.AppID != gateID || again[0].Run.HeadSHA != head || again[0].Sender.Login != "ann" {
		t.Errorf("check_run events: %+v", again)
	}

	comment := w.as(t, "bob", http.MethodPost, "/repos/"+full+"/issues/1/comments", map[string]any{"body": "/plan"})
	w.as(t, "bob", http.MethodPatch, "/repos/"+full+"/issues/comments/"+id(t, comment["id"]), map[string]any{"body": "/help"})
	if _, err := w.client.CreateComment(t.Context(), w.repo, number, "ours"); err != nil {
		t.Fatal(err)
	}
	comments := received[*github.CommentEvent](t, w)
	if len(comments) != 2 {
		t.Fatalf("%d comment events, want the two created ones", len(comments))
	}
	bob := pull.User{ID: 3, Login: "bob"}
	if c := comments[0]; c.Number != number || c.Comment.Body != "/plan" || c.Sender != bob || c.Comment.Author != bob || c.Comment.AppID != 0 {
		t.Errorf("comment of a person: %+v", c)
	}
	if c := comments[1]; c.Comment.AppID != gateID || !c.Sender.Bot {
		t.Errorf("our comment: %+v", c)
	}
}

func TestMergeGroup(t *testing.T) {
	w := newWorld(t, func(c *githubsim.Config) {
		c.Seed.Repositories[0].Protection = []githubsim.SeedProtection{{Branch: "main", Checks: []githubsim.SeedCheck{{Context: "x", AppID: gateID}}}}
	})
	number, _ := w.open(t, "topic")
	if err := w.Enqueue(full, number, "ann"); err != nil {
		t.Fatal(err)
	}
	groups := received[*github.MergeGroupEvent](t, w)
	if len(groups) != 1 || groups[0].BaseRef != "main" || groups[0].BaseSHA == "" || groups[0].Number() != number {
		t.Fatalf("merge_group events: %+v", groups)
	}
	if _, err := w.client.CreateCheckRun(t.Context(), w.repo, github.CheckRun{Name: "x", HeadSHA: groups[0].HeadSHA, Status: github.Queued}); err != nil {
		t.Errorf("check run on the group's head: %v", err)
	}
	for _, push := range received[*github.PushEvent](t, w) {
		if push.Branch() != "topic" {
			t.Errorf("push event of %s", push.Ref)
		}
	}
}

func TestFailedDeliveriesAreRedelivered(t *testing.T) {
	w := newWorld(t, nil)
	start := time.Now().Add(-time.Minute)
	w.refuse = true
	w.open(t, "topic")
	if events := received[*github.PullRequestEvent](t, w); len(events) != 0 {
		t.Fatalf("events: %v", events)
	}
	failed, err := w.app.FailedDeliveries(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, d := range failed {
		names = append(names, d.Event)
		if d.InstallationID != install || d.RepositoryID != 100 || d.StatusCode != http.StatusServiceUnavailable || d.GUID == "" {
			t.Errorf("failed delivery: %+v", d)
		}
	}
	has(t, names, "pull_request", "failed events")
	has(t, names, "push", "failed events")
	if later, err := w.app.FailedDeliveries(t.Context(), time.Now().Add(time.Minute)); err != nil || len(later) != 0 {
		t.Errorf("failed since later: %v, %v", later, err)
	}
	w.mu.Lock()
	w.refuse = false
	w.mu.Unlock()
	for _, d := range failed {
		if err := w.app.Redeliver(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
	}
	if events := received[*github.PullRequestEvent](t, w); len(events) != 1 || events[0].Action != github.Opened {
		t.Errorf("events after redelivery: %+v", events)
	}
	if failed, err = w.app.FailedDeliveries(t.Context(), start); err != nil || len(failed) != 0 {
		t.Errorf("failed after redelivery: %+v, %v", failed, err)
	}
	if err := w.app.Redeliver(t.Context(), 1); err == nil {
		t.Error("an unknown delivery was redelivered")
	}
}

func TestHeadMovesBetweenTwoCalls(t *testing.T) {
	w := newWorld(t, nil)
	number, head := w.open(t, "topic")
	moved := ""
	w.Before(http.MethodGet, "/repos/*/*/pulls/*", func() {
		id, err := w.Push(t.Context(), githubsim.Push{Repository: full, Branch: "topic", Write: map[string]string{"y": "y"}, Message: "y"})
		if err != nil {
			t.Error(err)
		}
		moved = id
	})
	got, err := w.client.PullRequest(t.Context(), w.repo, number)
	if err != nil || got.HeadSHA != moved || moved == head {
		t.Errorf("head %s, %v; want %s", got.HeadSHA, err, moved)
	}
}
