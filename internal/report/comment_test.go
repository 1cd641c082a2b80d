package report

import (
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/plan"
)

func TestEveryReasonIsShown(t *testing.T) {
	nobody := plan.Plan{Base: baseSHA, Head: headSHA, Digest: "sha256:0", Verdict: plan.Error, Reasons: []string{"no policy was evaluated: add policies"}}
	warned := policyViolation()
	warned.Verdict = plan.Fail
	for i := range warned.Applications {
		warned.Applications[i].Findings = warned.Applications[i].Findings[1:2]
	}
	warned.Summary.Deny = 0
	warned.Reasons = []string{"MG112 warns about the change"}
	mixed := policyViolation()
	mixed.Reasons = []string{"the plan cannot be encoded: x", "MG104 denies the change", "... and 3 more"}
	for name, c := range map[string]struct {
		plan plan.Plan
		want []string
		not  string
	}{
		"no policy": {nobody, []string{"### ❌ Blocked: no policy was evaluated\n", "- no policy was evaluated: add policies\n", "**Who can clear it:** the owners of the policies, by adding some on `main`"}, "Findings"},
		"warnings":  {warned, []string{"### ❌ Blocked: 2 policy warnings\n", "**What blocks this**\n\n- **warn** `MG112`", "**Who can clear it:** the author"}, "**Findings**"},
		"a fault beside a denial": {
			mixed,
			[]string{"- the plan cannot be encoded: x\n", "- **deny** [`MG104`]"},
			"and 3 more",
		},
		"notes": {renderFailure(), []string{"**Notes**\n\n- policies/labels.rego changes in this pull request", "- `cart-production`: not a Kubernetes object"}, "@@@"},
	} {
		t.Run(name, func(t *testing.T) {
			body := Comment(c.plan, fixtureOptions)
			for _, want := range c.want {
				if !strings.Contains(body, want) {
					t.Errorf("the comment misses %q:\n%s", want, body)
				}
			}
			if strings.Contains(body, c.not) {
				t.Errorf("the comment has %q:\n%s", c.not, body)
			}
			text := Text(c.plan, TextOptions{}) + GitHub(c.plan)
			for _, r := range c.plan.Reasons[:1] {
				if name != "warnings" && name != "notes" && strings.Count(text, r) != 2 {
					t.Errorf("text or workflow commands miss %q:\n%s", r, text)
				}
			}
		})
	}
}

func TestChangesAreFoldedAndOrderedByDanger(t *testing.T) {
	v := newView(imageBump())
	if len(v.changes) != 1 || len(v.changes[0].members) != 6 || !v.changes[0].varies {
		t.Errorf("one change in six applications with other lines around it is shown as %+v", v.changes)
	}
	var got []string
	for _, p := range []plan.Plan{deletedClaim(), policyViolation()} {
		for _, c := range newView(p).changes {
			got = append(got, string(c.Action)+" "+c.subject())
		}
	}
	want := "delete PersistentVolumeClaim/orders-db, update ConfigMap/orders-config, update Secret/orders-token, create CronJob/backup, " +
		"update Deployment/payments, create ClusterRole/payments-agent"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("changes are %s, want %s", s, want)
	}
}

func TestChangesThatDifferInAValueAreNotFolded(t *testing.T) {
	f := newFixture(2)
	f.app(plan.Application{Name: "a", Changes: []plan.Change{bump("n", "web", "1", "2", 1)}})
	f.app(plan.Application{Name: "b", Changes: []plan.Change{bump("n", "web", "1", "3", 1)}})
	number := bump("n", "web", "1", "3", 1)
	number.Fields[0].Before, number.Fields[0].After = "1", 1
	f.app(plan.Application{Name: "c", Changes: []plan.Change{number}})
	text := bump("n", "web", "1", "3", 1)
	text.Fields[0].Before, text.Fields[0].After = "1", "1"
	f.app(plan.Application{Name: "d", Changes: []plan.Change{text}})
	if v := newView(f.plan()); len(v.changes) != 4 {
		t.Errorf("four different changes are shown as %d", len(v.changes))
	}
}

func TestTableIsAGridWhereNamesAllow(t *testing.T) {
	body := Comment(imageBump(), fixtureOptions)
	if !strings.Contains(body, "| Application | `staging` | `production` |\n|---|---|---|\n| `cart` | 1 updated | 1 updated |") {
		t.Errorf("no grid:\n%s", body)
	}
	f := newFixture(2)
	f.app(plan.Application{Name: "web", Environment: "staging", Changes: []plan.Change{bump("n", "web", "1", "2", 1)}})
	f.app(plan.Application{Name: "web-staging", Environment: "staging", Changes: []plan.Change{bump("n", "web", "1", "2", 1)}})
	f.app(plan.Application{Name: "web-production", Environment: "production", Changes: []plan.Change{bump("n", "web", "1", "2", 1)}})
	if body := Comment(f.plan(), fixtureOptions); !strings.Contains(body, "| Application | Environment | Result |") {
		t.Errorf("two applications share a cell:\n%s", body)
	}
}

func TestTableTellsBrokenPoliciesFromDenials(t *testing.T) {
	f := newFixture(1)
	f.app(plan.Application{Name: "web", Findings: []plan.Finding{
		{Policy: "loop.deny", Severity: plan.SeverityError, Message: "took longer than 2s", New: true},
		{Policy: "color.deny", Severity: plan.Deny, Message: "it is black", New: true},
	}, Changes: []plan.Change{bump("n", "web", "1", "2", 1)}})
	if body := Comment(f.plan(), fixtureOptions); !strings.Contains(body, "1 updated, ❌ **1 policy error**, ⛔ **1 denied**") {
		t.Errorf("not told apart:\n%s", body)
	}
}

func TestPendingIsNeverGreen(t *testing.T) {
	for _, phase := range []Phase{Queued, InProgress, Superseded, Failed, "unknown"} {
		for _, run := range PendingCheckRuns(Pending{Phase: phase, Head: headSHA}, CheckOptions{BaseName: "release-1", BaseInName: true}) {
			done := run.Status == StatusCompleted
			if done != (run.Conclusion == ConclusionFailure) || !done && run.Conclusion != "" || !strings.HasSuffix(run.Name, " (release-1)") {
				t.Errorf("%s: %+v", phase, run)
			}
		}
		if body := PendingComment(Pending{Phase: phase}, fixtureOptions); strings.Contains(body, "✅") || !strings.HasPrefix(body, MarkerLine("plan")+"\n") {
			t.Errorf("%s: %s", phase, body)
		}
	}
}

func TestNoticesAndAnswersStandAboveTheDiffs(t *testing.T) {
	o := fixtureOptions
	o.Notices, o.Answer = []string{"planned again, as ann asked", "the base moved"}, "| Command |\n|---|\n"
	body := Comment(policyViolation(), o)
	last := 0
	for _, part := range []string{"**What blocks this**", "| Application |", "<details open><summary>2 notices</summary>", "<details open><summary>Commands</summary>", "**Findings**", "**Changes**"} {
		at := strings.Index(body, part)
		if at < last {
			t.Errorf("%q is at %d, after %d:\n%s", part, at, last, body)
		}
		last = at
	}
	o.Answer, o.Notices = strings.Repeat("long answer\n", 200), []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}
	body = Comment(policyViolation(), o)
	for _, part := range []string{"<details><summary>12 notices</summary>", "- and 2 more notices\n", "<details><summary>Commands</summary>"} {
		if !strings.Contains(body, part) {
			t.Errorf("the comment misses %q:\n%s", part, body)
		}
	}
}

func TestChangesOfWhatCouldNotBePlannedAreUnknown(t *testing.T) {
	f := newFixture(6)
	f.app(plan.Application{Name: "mailer", Status: plan.StatusError, Error: "a.yaml:3: no", ErrorLocation: spot("a.yaml", 3, "")})
	p := f.plan()
	page, err := HTML(p, PageOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{Comment(p, fixtureOptions), checksText(CheckRuns(p, CheckOptions{})), string(page), Text(p, TextOptions{})} {
		if strings.Contains(text, "no object changes") || !strings.Contains(text, "changes unknown") || !strings.Contains(text, "1 of 6 applications affected") {
			t.Errorf("the changes are called known:\n%s", text)
		}
	}
}

func TestRemovedApplicationsAreCountedAmongAll(t *testing.T) {
	f := newFixture(2)
	f.app(plan.Application{Name: "old", Status: plan.Removed, Changes: []plan.Change{{Action: plan.Delete, Object: id("", "Service", "n", "old")}}})
	if got := newView(f.plan()).effect(); got != "1 object deleted in 1 of 3 applications" {
		t.Errorf("effect is %q", got)
	}
}
