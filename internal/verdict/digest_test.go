package verdict

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

func digestWith(edit func(*plan.Plan)) string {
	p := changed(finding(plan.Deny))
	p.Findings = []plan.Finding{{Policy: "x", Severity: plan.Warn, Message: "m", New: true}}
	if edit != nil {
		edit(&p)
	}
	return Decide(p, Rules{}).Digest
}

func TestDigestForm(t *testing.T) {
	if got := digestWith(nil); !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(got) {
		t.Errorf("digest %q", got)
	}
}

func TestDigestBinds(t *testing.T) {
	application := func(edit func(*plan.Application)) func(*plan.Plan) {
		return func(p *plan.Plan) { edit(&p.Applications[0]) }
	}
	edits := map[string]func(*plan.Plan){
		"policy revision": func(p *plan.Plan) { p.PolicyRevision = "p2" },
		"another application": func(p *plan.Plan) {
			p.Applications = append(p.Applications, plan.Application{Name: "b", Status: plan.Changed})
		},
		"plan finding":      func(p *plan.Plan) { p.Findings[0].Message = "other" },
		"name":              application(func(a *plan.Application) { a.Name = "x" }),
		"path":              application(func(a *plan.Application) { a.Path = "x" }),
		"environment":       application(func(a *plan.Application) { a.Environment = "x" }),
		"cluster":           application(func(a *plan.Application) { a.Cluster = "x" }),
		"error":             application(func(a *plan.Application) { a.Status, a.Error = plan.StatusError, "x" }),
		"another change":    application(func(a *plan.Application) { a.Changes = append(a.Changes, a.Changes[0]) }),
		"action":            application(func(a *plan.Application) { a.Changes[0].Action = plan.Replace }),
		"object":            application(func(a *plan.Application) { a.Changes[0].Object.Name = "x" }),
		"version":           application(func(a *plan.Application) { a.Changes[0].Object.Version = "v2" }),
		"field path":        application(func(a *plan.Application) { a.Changes[0].Fields[0].Path = "/x" }),
		"field value":       application(func(a *plan.Application) { a.Changes[0].Fields[0].After = json.Number("3") }),
		"field type":        application(func(a *plan.Application) { a.Changes[0].Fields[0].After = "2" }),
		"finding":           application(func(a *plan.Application) { a.Findings[0].Fingerprint = "x" }),
		"finding's policy":  application(func(a *plan.Application) { a.Findings[0].Policy = "x" }),
		"finding is old":    application(func(a *plan.Application) { a.Findings[0].New = false }),
		"finding is waived": application(func(a *plan.Application) { a.Findings[0].WaivedBy = "x" }),
		"severity":          application(func(a *plan.Application) { a.Findings[0].Severity = plan.Warn }),
		"created content":   application(func(a *plan.Application) { a.Changes[0] = plan.Change{Action: plan.Create, Object: web, Diff: "+a"} }),
		"other content":     application(func(a *plan.Application) { a.Changes[0] = plan.Change{Action: plan.Create, Object: web, Diff: "+b"} }),
		"update, no fields": application(func(a *plan.Application) { a.Changes[0] = plan.Change{Action: plan.Update, Object: web, Diff: "+b"} }),
	}
	seen := map[string]string{digestWith(nil): "nothing"}
	for name, edit := range edits {
		digest := digestWith(edit)
		if other, ok := seen[digest]; ok {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		seen[digest] = name
	}
}

func TestDigestLeavesOut(t *testing.T) {
	edits := map[string]func(*plan.Plan){
		"commits": func(p *plan.Plan) { p.Base, p.Head, p.Merge = "a", "b", "c" },
		"counts":  func(p *plan.Plan) { p.Summary.Applications = 100 },
		"lines": func(p *plan.Plan) {
			p.Applications[0].Changes[0].Fields[0].Source = &manifest.Location{File: "f", Line: 3}
			p.Applications[0].Findings[0].Location = &manifest.Location{File: "f", Line: 3}
		},
		"inputs":                  func(p *plan.Plan) { p.Applications[0].AffectedBy = []string{"f"} },
		"text around an update":   func(p *plan.Plan) { p.Applications[0].Changes[0].Diff = " context" },
		"a fingerprinted message": func(p *plan.Plan) { p.Applications[0].Findings[0].Message = "reworded" },
		"applications without effect": func(p *plan.Plan) {
			p.Applications = append(p.Applications, plan.Application{Name: "b", Status: plan.Unchanged})
		},
		"an earlier decision": func(p *plan.Plan) { *p = Decide(*p, Rules{FailOn: FailOnWarn}) },
	}
	for name, edit := range edits {
		if digestWith(edit) != digestWith(nil) {
			t.Errorf("the digest depends on %s", name)
		}
	}
}

// masked is a plan that shows two masks.
func masked(before, after string) plan.Plan {
	p := changed()
	p.Applications[0].Changes[0].Fields[0] = plan.Field{Path: "/data/a", Before: before, After: "x " + after + " y", Sensitive: true}
	return p
}

func TestDigestOfSecrets(t *testing.T) {
	decide := func(before, after string, secrets map[string]string) string {
		return Decide(masked(before, after), Rules{Secrets: secrets}).Digest
	}
	const one, two, seven = "(secret #0001)", "(secret #0002)", "(secret #0007)"
	keyed := decide(one, two, map[string]string{one: "aa", two: "bb"})
	if keyed == decide(one, two, map[string]string{one: "aa", two: "cc"}) {
		t.Error("another secret value keeps the digest")
	}
	if keyed != decide(one, seven, map[string]string{one: "aa", seven: "bb", two: "unrelated"}) {
		t.Error("another numbering, or a secret that does not show, changes the digest")
	}
	if decide(one, two, nil) != decide(two, seven, nil) {
		t.Error("without a key, another numbering changes the digest")
	}
	if decide(one, two, nil) == decide(one, one, nil) {
		t.Error("without a key, equal and different values have the same digest")
	}
	if decide(one, two, nil) == decide("(masked 1)", "(masked 2)", nil) {
		t.Error("text passes for a mask")
	}
	if decide(one, "(hash #0001)", nil) == decide(one, one, nil) {
		t.Error("a hash passes for a secret")
	}
}

func TestDigestOfWhatIsCut(t *testing.T) {
	decide := func(secret string) string {
		p := changed()
		p.Applications[0].Changes[0] = plan.Change{Action: plan.Create, Object: web, Diff: "… 9 more lines", Omitted: 9}
		return Decide(p, Rules{Secrets: map[string]string{"(secret #0001)": secret}}).Digest
	}
	if decide("aa") == decide("bb") {
		t.Error("a secret in text that is cut is not bound")
	}
}

func TestUnchanged(t *testing.T) {
	a, b := Decide(changed(), Rules{}), Decide(changed(), Rules{})
	b.Head = "moved"
	if !Unchanged(a, b) {
		t.Error("equal plans differ")
	}
	if Unchanged(a, Decide(changed(finding(plan.Deny)), Rules{})) {
		t.Error("different plans are equal")
	}
	if deny := changed(finding(plan.Deny)); Unchanged(Decide(deny, Rules{}), Decide(deny, Rules{FailOn: FailOnNever})) {
		t.Error("plans with different verdicts are equal")
	}
}
