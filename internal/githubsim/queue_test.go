package githubsim_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/githubsim"
)

func push(branch string, files map[string]string) githubsim.Push {
	return githubsim.Push{Repository: "acme/gitops", Branch: branch, By: "alice", Write: files, Message: "Change " + branch}
}

// groups lists the heads of the merge groups that were announced.
func (w *world) groups() []*github.MergeGroup {
	w.t.Helper()
	w.flush()
	var out []*github.MergeGroup
	for _, r := range w.inbox.all() {
		event, err := github.ParseWebHook(r.header.Get("X-GitHub-Event"), r.body)
		if err != nil {
			w.t.Fatal(err)
		}
		if e, ok := event.(*github.MergeGroupEvent); ok && e.GetAction() == "checks_requested" {
			out = append(out, e.GetMergeGroup())
		}
	}
	return out
}

func TestMergeQueue(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("one", "one.txt", "1\n")
	w.open("two", "two.txt", "2\n")
	for _, n := range []int{1, 2} {
		if err := w.sim.Enqueue("acme/gitops", n, "alice"); err != nil {
			t.Fatal(err)
		}
	}
	groups := w.groups()
	if len(groups) != 2 || groups[1].GetBaseSHA() != groups[0].GetHeadSHA() {
		t.Fatalf("groups = %v, want the second on top of the first", groups)
	}
	if ref := groups[0].GetHeadRef(); !strings.HasPrefix(ref, "refs/heads/gh-readonly-queue/main/pr-1-") {
		t.Errorf("head_ref = %s", ref)
	}
	bot := w.asInstallation()
	w.complete(bot, "mergegate / plan", groups[1].GetHeadSHA(), "success")
	if pr, _, err := bot.PullRequests.Get(ctx, "acme", "gitops", 2); err != nil || pr.GetMerged() {
		t.Errorf("the second was merged before the first (%v)", err)
	}
	w.complete(bot, "mergegate / plan", groups[0].GetHeadSHA(), "success")
	for _, n := range []int{1, 2} {
		if pr, _, err := bot.PullRequests.Get(ctx, "acme", "gitops", n); err != nil || !pr.GetMerged() {
			t.Errorf("pull request %d: merged %v, %v", n, pr.GetMerged(), err)
		}
	}
	main, _, err := bot.Repositories.GetBranch(ctx, "acme", "gitops", "main", 1)
	if err != nil || main.GetCommit().GetSHA() != groups[1].GetHeadSHA() {
		t.Errorf("main = %s, want the last group's head (%v)", main.GetCommit().GetSHA(), err)
	}
	w.flush()
	if got := strings.Join(w.inbox.names(t), " "); !strings.Contains(got, "merge_group.destroyed") || strings.Count(got, "pull_request.closed") != 2 {
		t.Errorf("webhooks = %s", got)
	}
}

func TestMergeQueueEvicts(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("one", "one.txt", "1\n")
	w.open("two", "two.txt", "2\n")
	for _, n := range []int{1, 2} {
		if err := w.sim.Enqueue("acme/gitops", n, "alice"); err != nil {
			t.Fatal(err)
		}
	}
	bot := w.asInstallation()
	w.complete(bot, "mergegate / plan", w.groups()[0].GetHeadSHA(), "failure")
	groups := w.groups()
	if len(groups) != 3 || groups[2].GetBaseSHA() != groups[0].GetBaseSHA() {
		t.Fatalf("groups = %v, want the second rebuilt on the base", groups)
	}
	w.complete(bot, "mergegate / plan", groups[2].GetHeadSHA(), "success")
	for n, want := range map[int]bool{1: false, 2: true} {
		if pr, _, err := bot.PullRequests.Get(ctx, "acme", "gitops", n); err != nil || pr.GetMerged() != want {
			t.Errorf("pull request %d: merged %v, %v, want %v", n, pr.GetMerged(), err, want)
		}
	}
	if got := strings.Join(w.inbox.names(t), " "); !strings.Contains(got, "pull_request.dequeued") {
		t.Errorf("webhooks = %s", got)
	}
	if err := w.sim.Dequeue("acme/gitops", 1); err == nil {
		t.Error("a pull request left the queue twice")
	}
}
