package githubsim_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"
)

func TestPages_HTML(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	pr := w.open("bump", "apps/web/deployment.yaml", "replicas: 2\n")
	bot := w.asInstallation()
	run, _, err := bot.Checks.CreateCheckRun(ctx, "acme", "gitops", github.CreateCheckRunOptions{
		Name: "mergegate / plan", HeadSHA: pr.GetHead().GetSHA(), Conclusion: github.String("failure"),
		Output: output("| app | changes |\n|---|---|\n| web | 1 |", "```diff\n-replicas: 1\n+replicas: 2\n```", 2), Actions: []*github.CheckRunAction{action("Plan again", "again", "plan")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := bot.Issues.CreateComment(ctx, "acme", "gitops", 1, &github.IssueComment{Body: github.String("<script>alert(1)</script>\n\n**bold**")}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"/":                                    {"acme/gitops", "1 open pull requests"},
		"/acme/gitops":                         {"Change apps/web/deployment.yaml", "pull/1", "mergegate / plan"},
		"/acme/gitops/pull/1":                  {"Merging is blocked", "is failing", "<strong>bold</strong>", "&lt;script&gt;", "Plan again", "line del", "<td>web</td>"},
		"/acme/gitops/runs/" + id(run.GetID()): {"2 annotations", "a.txt:1"},
	} {
		code, body := w.get(path, "")
		if code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, body)
		}
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s lacks %q", path, text)
			}
		}
		if strings.Contains(body, "<script>") {
			t.Errorf("%s runs a script of a comment", path)
		}
	}
	w.complete(bot, "mergegate / plan", pr.GetHead().GetSHA(), "success")
	if _, body := w.get("/acme/gitops/pull/1", ""); !strings.Contains(body, "Merging is allowed") {
		t.Error("the page does not say that merging is allowed")
	}
	for _, path := range []string{"/nobody/nothing", "/acme/gitops/pull/9", "/acme/gitops/pull/x", "/acme"} {
		if code, _ := w.get(path, ""); code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, code)
		}
	}
}
