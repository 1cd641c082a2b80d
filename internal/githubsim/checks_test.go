package githubsim_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/githubsim/oracle"
)

func output(summary, text string, annotations int) *github.CheckRunOutput {
	out := &github.CheckRunOutput{Title: github.String("t"), Summary: &summary}
	if text != "" {
		out.Text = &text
	}
	for range annotations {
		out.Annotations = append(out.Annotations, &github.CheckRunAnnotation{
			Path: github.String("a.txt"), StartLine: github.Int(1), EndLine: github.Int(1), AnnotationLevel: github.String("warning"), Message: github.String("m"),
		})
	}
	return out
}

func action(label, description, identifier string) *github.CheckRunAction {
	return &github.CheckRunAction{Label: label, Description: description, Identifier: identifier}
}

func TestCheckRunLimits(t *testing.T) {
	w, ctx := newWorld(t, oracle.AllowInvalidRequests()), context.Background()
	sha := w.branch("bump", "a.txt", "a\n")
	bot := w.asInstallation()
	long := func(n int) string { return strings.Repeat("x", n) }
	column := output("s", "", 1)
	column.Annotations[0].EndLine, column.Annotations[0].StartColumn = github.Int(2), github.Int(1)
	message := output("s", "", 1)
	message.Annotations[0].Message = github.String(long(64<<10 + 1))
	details := output("s", "", 1)
	details.Annotations[0].RawDetails = github.String(long(64<<10 + 1))
	title := output("s", "", 1)
	title.Annotations[0].Title = github.String(long(256))
	level := output("s", "", 1)
	level.Annotations[0].AnnotationLevel = github.String("error")
	four := []*github.CheckRunAction{action("a", "a", "a"), action("b", "b", "b"), action("c", "c", "c"), action("d", "d", "d")}
	for _, tt := range []struct {
		name string
		with github.CreateCheckRunOptions
		want string // empty: accepted
	}{
		{"50 annotations", github.CreateCheckRunOptions{Output: output("s", "", 50)}, ""},
		{"51 annotations", github.CreateCheckRunOptions{Output: output("s", "", 51)}, "50 items are allowed; 51"},
		{"summary of 65535", github.CreateCheckRunOptions{Output: output(long(65535), "", 0)}, ""},
		{"summary of 65536", github.CreateCheckRunOptions{Output: output(long(65536), "", 0)}, "summary exceeds a maximum bytesize of 65535"},
		{"summary of 32768 two-byte letters", github.CreateCheckRunOptions{Output: output(strings.Repeat("é", 32768), "", 0)}, "summary exceeds a maximum bytesize"},
		{"text of 65536", github.CreateCheckRunOptions{Output: output("s", long(65536), 0)}, "text exceeds a maximum bytesize"},
		{"output without summary", github.CreateCheckRunOptions{Output: &github.CheckRunOutput{Title: github.String("t")}}, "summary"},
		{"completed without conclusion", github.CreateCheckRunOptions{Status: github.String("completed")}, "conclusion"},
		{"unknown status", github.CreateCheckRunOptions{Status: github.String("done")}, "done"},
		{"unknown conclusion", github.CreateCheckRunOptions{Conclusion: github.String("green")}, "green"},
		{"three actions", github.CreateCheckRunOptions{Actions: four[:3]}, ""},
		{"four actions", github.CreateCheckRunOptions{Actions: four}, "3 items are allowed; 4"},
		{"label of 21", github.CreateCheckRunOptions{Actions: []*github.CheckRunAction{action(long(21), "d", "i")}}, "label"},
		{"description of 41", github.CreateCheckRunOptions{Actions: []*github.CheckRunAction{action("l", long(41), "i")}}, "description"},
		{"identifier of 21", github.CreateCheckRunOptions{Actions: []*github.CheckRunAction{action("l", "d", long(21))}}, "identifier"},
		{"column over two lines", github.CreateCheckRunOptions{Output: column}, "start_column"},
		{"long message", github.CreateCheckRunOptions{Output: message}, "message exceeds"},
		{"long details", github.CreateCheckRunOptions{Output: details}, "raw_details exceeds"},
		{"long annotation title", github.CreateCheckRunOptions{Output: title}, "255"},
		{"unknown level", github.CreateCheckRunOptions{Output: level}, "error"},
		{"unknown commit", github.CreateCheckRunOptions{HeadSHA: strings.Repeat("1", 40)}, "No commit found for SHA"},
		{"abbreviated commit", github.CreateCheckRunOptions{HeadSHA: sha[:7]}, "No commit found for SHA"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.with.Name = "limits"
			if tt.with.HeadSHA == "" {
				tt.with.HeadSHA = sha
			}
			_, resp, err := bot.Checks.CreateCheckRun(ctx, "acme", "gitops", tt.with)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (statusOf(t, resp, err) != 422 || !strings.Contains(fmt.Sprintf("%+v", err), tt.want)):
				t.Errorf("%+v, want 422 %q", err, tt.want)
			}
		})
	}
}

func TestCheckRunLife(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	pr := w.open("bump", "a.txt", "a\n")
	sha := pr.GetHead().GetSHA()
	bot := w.asInstallation()
	run, _, err := bot.Checks.CreateCheckRun(ctx, "acme", "gitops", github.CreateCheckRunOptions{Name: "mergegate / plan", HeadSHA: sha})
	if err != nil || run.GetStatus() != "queued" {
		t.Fatalf("run = %v, %v", run, err)
	}
	for range 3 {
		if _, _, err := bot.Checks.UpdateCheckRun(ctx, "acme", "gitops", run.GetID(), github.UpdateCheckRunOptions{Name: run.GetName(), Output: output("s", "", 50)}); err != nil {
			t.Fatal(err)
		}
	}
	got, _, err := bot.Checks.GetCheckRun(ctx, "acme", "gitops", run.GetID())
	if err != nil || got.GetOutput().GetAnnotationsCount() != 150 {
		t.Errorf("annotations = %d, %v, want all 150", got.GetOutput().GetAnnotationsCount(), err)
	}
	if _, resp, err := w.intruder().Checks.UpdateCheckRun(ctx, "acme", "gitops", run.GetID(), github.UpdateCheckRunOptions{Name: "x"}); statusOf(t, resp, err) != 403 {
		t.Errorf("another App's change: %d, want 403", resp.StatusCode)
	}
	w.complete(bot, "mergegate / plan", sha, "success")
	w.complete(w.intruder(), "mergegate / plan", sha, "failure")
	for name, tt := range map[string]struct {
		options github.ListCheckRunsOptions
		want    int
	}{
		"latest of each App": {github.ListCheckRunsOptions{}, 2},
		"all":                {github.ListCheckRunsOptions{Filter: github.String("all")}, 3},
		"one App":            {github.ListCheckRunsOptions{AppID: github.Int64(7)}, 1},
		"one App, all":       {github.ListCheckRunsOptions{AppID: github.Int64(7), Filter: github.String("all")}, 2},
		"a status":           {github.ListCheckRunsOptions{Status: github.String("queued"), Filter: github.String("all")}, 1},
		"another name":       {github.ListCheckRunsOptions{CheckName: github.String("other")}, 0},
	} {
		runs, _, err := bot.Checks.ListCheckRunsForRef(ctx, "acme", "gitops", sha, &tt.options)
		if err != nil || runs.GetTotal() != tt.want || len(runs.CheckRuns) != tt.want {
			t.Errorf("%s: %d runs, %v, want %d", name, runs.GetTotal(), err, tt.want)
		}
	}
	suites, _, err := bot.Checks.ListCheckSuitesForRef(ctx, "acme", "gitops", sha, &github.ListCheckSuiteOptions{AppID: github.Int(7)})
	if err != nil || suites.GetTotal() != 1 || suites.CheckSuites[0].GetConclusion() != "success" {
		t.Errorf("suites = %v, %v", suites, err)
	}
}

func TestCheckButtons(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	pr := w.open("bump", "a.txt", "a\n")
	run, _, err := w.asInstallation().Checks.CreateCheckRun(ctx, "acme", "gitops", github.CreateCheckRunOptions{
		Name: "mergegate / plan", HeadSHA: pr.GetHead().GetSHA(), Conclusion: github.String("failure"), Actions: []*github.CheckRunAction{action("Plan again", "again", "plan")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.sim.PressButton("acme/gitops", run.GetID(), "plan", "bob"); err != nil {
		t.Fatal(err)
	}
	if err := w.sim.PressButton("acme/gitops", run.GetID(), "other", "bob"); err == nil {
		t.Error("a button that is not there was pressed")
	}
	if _, err := w.as("alice").Checks.ReRequestCheckRun(ctx, "acme", "gitops", run.GetID()); err != nil {
		t.Error(err)
	}
	if _, err := w.as("alice").Checks.ReRequestCheckSuite(ctx, "acme", "gitops", run.GetCheckSuite().GetID()); err != nil {
		t.Error(err)
	}
	w.flush()
	if got, want := strings.Join(w.inbox.names(t), " "), "check_run.requested_action check_run.rerequested check_suite.rerequested"; !strings.HasSuffix(got, want) {
		t.Errorf("webhooks = %s, want ... %s", got, want)
	}
	for _, d := range w.sim.Deliveries("intruder") {
		if a := d.Event.Action; a == "requested_action" || a == "rerequested" {
			t.Errorf("another App heard of %s.%s", d.Event.Name, a)
		}
	}
}

func TestStatuses(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	sha := w.branch("bump", "a.txt", "a\n")
	c := w.asInstallation()
	for _, state := range []string{"pending", "success"} {
		if _, _, err := c.Repositories.CreateStatus(ctx, "acme", "gitops", sha, &github.RepoStatus{State: &state, Context: github.String("CI")}); err != nil {
			t.Fatal(err)
		}
	}
	got, _, err := c.Repositories.GetCombinedStatus(ctx, "acme", "gitops", "bump", nil)
	if err != nil || got.GetState() != "success" || got.GetTotalCount() != 1 {
		t.Errorf("combined status = %v, %v", got, err)
	}
}
