package githubsim_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"
)

// TestStory is the life of one pull request as an App sees it, from push to merge.
func TestStory(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	bot := w.asInstallation()

	pr := w.open("bump", "apps/web/deployment.yaml", "replicas: 2\nimage: web:1\n")
	sha := pr.GetHead().GetSHA()
	if got := pr.GetMergeableState(); got != "blocked" {
		t.Errorf("mergeable state = %q, want blocked by the required check", got)
	}
	files, _, err := bot.PullRequests.ListFiles(ctx, "acme", "gitops", pr.GetNumber(), nil)
	if err != nil || len(files) != 1 || files[0].GetFilename() != "apps/web/deployment.yaml" || files[0].GetAdditions() != 1 {
		t.Errorf("files = %v, %v", files, err)
	}
	_, resp, err := w.as("alice").PullRequests.Merge(ctx, "acme", "gitops", pr.GetNumber(), "", nil)
	if statusOf(t, resp, err) != 405 || !strings.Contains(err.Error(), `"mergegate / plan" is expected`) {
		t.Errorf("merge without the check: %d %v", resp.StatusCode, err)
	}

	run, _, err := bot.Checks.CreateCheckRun(ctx, "acme", "gitops", github.CreateCheckRunOptions{
		Name: "mergegate / plan", HeadSHA: sha, Status: github.String("in_progress"), ExternalID: github.String("plan-1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if run.GetApp().GetID() != 7 || len(run.PullRequests) != 1 {
		t.Errorf("check run = %v", run)
	}
	if _, _, err := bot.Checks.UpdateCheckRun(ctx, "acme", "gitops", run.GetID(), github.UpdateCheckRunOptions{
		Name: "mergegate / plan", Conclusion: github.String("success"), Status: github.String("completed"),
		Output: &github.CheckRunOutput{Title: github.String("1 change"), Summary: github.String("fine"), Annotations: []*github.CheckRunAnnotation{{
			Path: github.String("apps/web/deployment.yaml"), StartLine: github.Int(1), EndLine: github.Int(1),
			AnnotationLevel: github.String("notice"), Message: github.String("more replicas"),
		}}},
		Actions: []*github.CheckRunAction{{Label: "Plan again", Description: "Plan this commit again", Identifier: "plan"}},
	}); err != nil {
		t.Fatal(err)
	}
	annotations, _, err := bot.Checks.ListCheckRunAnnotations(ctx, "acme", "gitops", run.GetID(), nil)
	if err != nil || len(annotations) != 1 {
		t.Errorf("annotations = %v, %v", annotations, err)
	}
	comment, _, err := bot.Issues.CreateComment(ctx, "acme", "gitops", pr.GetNumber(), &github.IssueComment{Body: github.String("the plan")})
	if err != nil {
		t.Fatal(err)
	}
	if comment.GetUser().GetLogin() != "mergegate[bot]" || comment.GetUser().GetType() != "Bot" {
		t.Errorf("comment by %v", comment.GetUser())
	}
	result, _, err := w.as("alice").PullRequests.Merge(ctx, "acme", "gitops", pr.GetNumber(), "", &github.PullRequestOptions{SHA: sha})
	if err != nil || !result.GetMerged() {
		t.Fatalf("merge: %v %v", result, err)
	}
	w.flush()
	want := []string{
		"push", "check_suite.requested", "pull_request.opened", "check_run.created", "check_run.completed", "check_suite.completed",
		"issue_comment.created", "push", "check_suite.requested", "pull_request.closed",
	}
	if diff := cmp.Diff(want, w.inbox.names(t)); diff != "" {
		t.Errorf("webhooks (-want +got):\n%s", diff)
	}
}
