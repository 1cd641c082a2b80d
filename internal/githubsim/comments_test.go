package githubsim_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

func TestComments(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	bot := w.asInstallation()
	c, _, err := bot.Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String("one")})
	if err != nil {
		t.Fatal(err)
	}
	if _, body := w.get("/api/v3/repos/acme/gitops/issues/1/comments", "Bearer alice-token"); !strings.Contains(body, `"performed_via_github_app":{`) {
		t.Errorf("the comment does not name its App: %s", body)
	}
	if _, _, err := bot.Issues.EditComment(ctx, "acme", "gitops", c.GetID(), &github.IssueComment{Body: github.String("two")}); err != nil {
		t.Error(err)
	}
	if got, _, err := bot.Issues.GetComment(ctx, "acme", "gitops", c.GetID()); err != nil || got.GetBody() != "two" {
		t.Errorf("comment = %v, %v", got, err)
	}
	if _, resp, err := w.as("bob").Issues.EditComment(ctx, "acme", "gitops", c.GetID(), &github.IssueComment{Body: github.String("x")}); statusOf(t, resp, err) != 403 {
		t.Errorf("edit by a reader: %d, want 403", resp.StatusCode)
	}
	if _, _, err := w.as("bob").Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String("/plan")}); err != nil {
		t.Errorf("a reader may comment: %v", err)
	}
	if list, _, err := bot.Issues.ListComments(ctx, "acme", "gitops", 1, nil); err != nil || len(list) != 2 {
		t.Errorf("comments = %v, %v", list, err)
	}
	if _, err := bot.Issues.DeleteComment(ctx, "acme", "gitops", c.GetID()); err != nil {
		t.Error(err)
	}
	if _, resp, err := bot.Issues.GetComment(ctx, "acme", "gitops", c.GetID()); statusOf(t, resp, err) != 404 {
		t.Errorf("deleted comment: %d, want 404", resp.StatusCode)
	}
	w.flush()
	want := "issue_comment.created issue_comment.edited issue_comment.created issue_comment.deleted"
	if got := strings.Join(w.inbox.names(t), " "); !strings.HasSuffix(got, want) {
		t.Errorf("webhooks = %s, want ... %s", got, want)
	}
}

func TestCommentLimit(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	bot := w.asInstallation()
	if _, _, err := bot.Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String(strings.Repeat("é", 65536))}); err != nil {
		t.Errorf("65536 characters: %v", err)
	}
	_, resp, err := bot.Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String(strings.Repeat("x", 65537))})
	var failed *github.ErrorResponse
	if statusOf(t, resp, err) != 422 || !errors.As(err, &failed) || len(failed.Errors) != 1 {
		t.Fatalf("65537 characters: %v, want 422", err)
	}
	e := failed.Errors[0]
	if e.Resource != "IssueComment" || e.Code != "unprocessable" || e.Field != "data" || e.Message != "Body is too long (maximum is 65536 characters)" {
		t.Errorf("error = %+v", e)
	}
}

// TestCommentPermission pins the trap that issues:write does not let an App comment on a pull request.
func TestCommentPermission(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	if err := w.sim.Grant(70, map[string]string{"issues": "write", "pull_requests": "read"}); err != nil {
		t.Fatal(err)
	}
	_, resp, err := w.asInstallation().Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String("x")})
	if statusOf(t, resp, err) != 403 || resp.Header.Get("X-Accepted-GitHub-Permissions") != "pull_requests=write" {
		t.Errorf("%v, want 403 naming pull_requests=write", err)
	}
}

func TestReactions(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	c, _, err := w.as("alice").Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String("/plan")})
	if err != nil {
		t.Fatal(err)
	}
	bot := w.asInstallation()
	for _, want := range []int{201, 200} {
		if _, resp, err := bot.Reactions.CreateIssueCommentReaction(ctx, "acme", "gitops", c.GetID(), "eyes"); statusOf(t, resp, err) != want {
			t.Errorf("reaction: %d %v, want %d", resp.StatusCode, err, want)
		}
	}
	list, _, err := bot.Reactions.ListIssueCommentReactions(ctx, "acme", "gitops", c.GetID(), nil)
	if err != nil || len(list) != 1 || list[0].GetUser().GetLogin() != "mergegate[bot]" {
		t.Errorf("reactions = %v, %v", list, err)
	}
	got, _, err := bot.Issues.GetComment(ctx, "acme", "gitops", c.GetID())
	if err != nil || got.GetReactions().GetEyes() != 1 {
		t.Errorf("rollup = %v, %v", got.GetReactions(), err)
	}
	if _, err := bot.Reactions.DeleteIssueCommentReaction(ctx, "acme", "gitops", c.GetID(), list[0].GetID()); err != nil {
		t.Error(err)
	}
}

func TestMinimizeComment(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	c, _, err := w.asInstallation().Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String("old")})
	if err != nil {
		t.Fatal(err)
	}
	const mutation = `mutation($input:MinimizeCommentInput!){minimizeComment(input:$input){minimizedComment{isMinimized}}}`
	send := func(query, node, classifier string) string {
		body := `{"query":"` + query + `","variables":{"input":{"subjectId":"` + node + `","classifier":"` + classifier + `"}}}`
		code, text := w.do("POST", "/api/graphql", "Bearer "+w.token(nil), body)
		if code != 200 {
			t.Fatalf("graphql: %d %s", code, text)
		}
		return text
	}
	if got := send(mutation, c.GetNodeID(), "OUTDATED"); !strings.Contains(got, `"isMinimized":true`) {
		t.Errorf("minimise: %s", got)
	}
	for name, got := range map[string]string{
		"classifier": send(mutation, c.GetNodeID(), "OLD"),
		"NOT_FOUND":  send(mutation, "IC_nothing", "OUTDATED"),
		"only":       send("query{viewer{login}}", "", ""),
	} {
		if !strings.Contains(got, `"errors"`) || !strings.Contains(got, name) {
			t.Errorf("want an error with %s: %s", name, got)
		}
	}
	if _, body := w.get("/api/v3/repos/acme/gitops/issues/1/comments", "Bearer alice-token"); !strings.Contains(body, `"minimized":{"reason":"OUTDATED"}`) {
		t.Errorf("the comment is not minimised: %s", body)
	}
}

func TestLabels(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	w.open("bump", "a.txt", "a\n")
	if _, resp, err := w.as("bob").Issues.AddLabelsToIssue(ctx, "acme", "gitops", 1, []string{"safe"}); statusOf(t, resp, err) != 403 {
		t.Errorf("label by a reader: %v, want 403", err)
	}
	if got, _, err := w.as("alice").Issues.AddLabelsToIssue(ctx, "acme", "gitops", 1, []string{"safe", "big"}); err != nil || len(got) != 2 {
		t.Errorf("labels = %v, %v", got, err)
	}
	if _, err := w.as("alice").Issues.RemoveLabelForIssue(ctx, "acme", "gitops", 1, "big"); err != nil {
		t.Error(err)
	}
	if got, _, err := w.as("alice").Issues.ListLabelsByIssue(ctx, "acme", "gitops", 1, nil); err != nil || len(got) != 1 {
		t.Errorf("labels = %v, %v", got, err)
	}
}
