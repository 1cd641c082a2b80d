package verdict

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

var web = manifest.ID{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "shop", Name: "web"}

// changed is a plan with one application that changes, and some findings.
func changed(findings ...plan.Finding) plan.Plan {
	return plan.Plan{
		PolicyRevision: "p1",
		Policies:       []plan.Policy{{Name: "MG101", Source: "built-in"}},
		Applications: []plan.Application{{
			Name: "shop", Path: "apps/shop", Status: plan.Changed, Findings: findings,
			Changes: []plan.Change{{Action: plan.Update, Object: web, Fields: []plan.Field{{Path: "/spec/replicas", At: "spec.replicas", Before: json.Number("1"), After: json.Number("2")}}}},
		}},
		Summary: plan.Summary{Applications: 7, Affected: 1},
	}
}

func finding(severity plan.Severity) plan.Finding {
	return plan.Finding{Policy: "MG101", Severity: severity, Message: "no", Object: &web, New: true, Fingerprint: "f1"}
}

// with is a change of a plan.
func with(p plan.Plan, edit func(*plan.Plan)) plan.Plan {
	edit(&p)
	return p
}

func TestDecide(t *testing.T) {
	old, waived, oldError := finding(plan.Deny), finding(plan.Deny), finding(plan.SeverityError)
	old.New, waived.WaivedBy, oldError.New = false, "ticket-1", false
	denied := "MG101 denies Deployment/shop/web in application shop: no"
	warned := "MG101 warns about Deployment/shop/web in application shop: no"
	failed := "policy MG101 could not be evaluated in application shop: no"
	none := "no policy was evaluated: add policies to policies/ on the base branch, or name them with policy.paths in .mergegate.yaml or with --policy"
	tests := map[string]struct {
		plan    plan.Plan
		failOn  FailOn
		verdict plan.Verdict
		reasons []string
	}{
		"no findings":            {changed(), "", plan.Pass, nil},
		"nothing affected":       {plan.Plan{}, "", plan.Pass, nil},
		"a deny":                 {changed(finding(plan.Deny)), "", plan.Fail, []string{denied}},
		"a deny, fail on deny":   {changed(finding(plan.Deny)), FailOnDeny, plan.Fail, []string{denied}},
		"a deny, fail on warn":   {changed(finding(plan.Deny)), FailOnWarn, plan.Fail, []string{denied}},
		"a deny, never fail":     {changed(finding(plan.Deny)), FailOnNever, plan.Pass, nil},
		"a deny that base has":   {changed(old), "", plan.Pass, nil},
		"a waived deny":          {changed(waived), "", plan.Pass, nil},
		"a warn":                 {changed(finding(plan.Warn)), "", plan.Pass, nil},
		"a warn, fail on warn":   {changed(finding(plan.Warn)), FailOnWarn, plan.Fail, []string{warned}},
		"a warn, never fail":     {changed(finding(plan.Warn)), FailOnNever, plan.Pass, nil},
		"denies before warns":    {changed(finding(plan.Warn), finding(plan.Deny)), FailOnWarn, plan.Fail, []string{denied, warned}},
		"an info":                {changed(finding(plan.Info)), FailOnWarn, plan.Pass, nil},
		"an error beats a deny":  {changed(finding(plan.Deny), finding(plan.SeverityError)), "", plan.Error, []string{failed, denied}},
		"an error, never fail":   {changed(finding(plan.Deny), finding(plan.SeverityError)), FailOnNever, plan.Error, []string{failed}},
		"an error that base has": {changed(oldError), "", plan.Error, []string{failed}},
		"an unknown severity":    {changed(plan.Finding{Policy: "x", Severity: "fatal", Object: &web}), FailOnNever, plan.Error, []string{`policy x has a finding in application shop with the unknown severity "fatal"`}},
		"no severity":            {changed(plan.Finding{Policy: "x"}), "", plan.Error, []string{`policy x has a finding in application shop with the unknown severity ""`}},
		"an unknown rule":        {changed(), "info", plan.Error, []string{`unknown fail-on "info": use deny, warn or never`}},
		"a deny of no application": {with(changed(), func(p *plan.Plan) {
			p.Findings = []plan.Finding{{Policy: "x", Severity: plan.Deny, New: true, Message: "no"}}
		}), "", plan.Fail, []string{"x denies the change: no"}},
		"an error of no application": {with(changed(), func(p *plan.Plan) {
			p.Findings = []plan.Finding{{Policy: "x", Severity: plan.SeverityError, Message: "does not compile"}}
		}), "", plan.Error, []string{"policy x could not be evaluated: does not compile"}},
		"a failed application": {with(changed(), func(p *plan.Plan) {
			p.Applications[0].Status, p.Applications[0].Error = plan.StatusError, "missing\n  file x"
		}), FailOnNever, plan.Error, []string{"application shop could not be evaluated: missing file x"}},
		"failed for no known reason": {with(changed(), func(p *plan.Plan) { p.Applications[0].Status = plan.StatusError }), "", plan.Error, []string{"application shop could not be evaluated: no reason is known"}},
		"an error in a good status":  {with(changed(), func(p *plan.Plan) { p.Applications[0].Error = "x" }), "", plan.Error, []string{"application shop could not be evaluated: x"}},
		"an unknown status":          {with(changed(), func(p *plan.Plan) { p.Applications[0].Status = "fine" }), "", plan.Error, []string{`application shop has the unknown status "fine"`}},
		"no status":                  {with(changed(), func(p *plan.Plan) { p.Applications[0].Status = "" }), "", plan.Error, []string{`application shop has the unknown status ""`}},
		"an unknown action":          {with(changed(), func(p *plan.Plan) { p.Applications[0].Changes[0].Action = "adopt" }), "", plan.Error, []string{`application shop has a change of Deployment/shop/web with the unknown action "adopt"`}},
		"unchanged with changes":     {with(changed(), func(p *plan.Plan) { p.Applications[0].Status = plan.Unchanged }), "", plan.Error, []string{"application shop is called unchanged but has changes: this is a bug of mergegate"}},
		"no policies":                {with(changed(), func(p *plan.Plan) { p.Policies = nil }), FailOnNever, plan.Error, []string{none}},
		"no policies for removed": {with(changed(), func(p *plan.Plan) {
			p.Policies, p.Applications[0] = nil, plan.Application{Name: "shop", Status: plan.Removed}
		}), "", plan.Error, []string{none}},
		"no policies, nothing changes": {with(changed(), func(p *plan.Plan) {
			p.Policies, p.Applications[0] = nil, plan.Application{Name: "shop", Status: plan.Unchanged}
		}), "", plan.Pass, nil},
		"no policies, explained": {with(changed(), func(p *plan.Plan) {
			p.Policies, p.Findings = nil, []plan.Finding{{Policy: "x", Severity: plan.SeverityError, Message: "does not compile"}}
		}), "", plan.Error, []string{"policy x could not be evaluated: does not compile"}},
		"a plan that cannot be encoded": {with(changed(), func(p *plan.Plan) { p.Applications[0].Changes[0].Fields[0].After = json.Number("x") }), "", plan.Error, []string{`the plan cannot be encoded: json: error calling MarshalJSON`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := Decide(test.plan, Rules{FailOn: test.failOn})
			if name == "a plan that cannot be encoded" {
				got.Reasons, test.reasons = nil, nil
			}
			if got.Verdict != test.verdict {
				t.Errorf("verdict %s, want %s", got.Verdict, test.verdict)
			}
			if d := cmp.Diff(slices.Concat([]string{}, test.reasons), slices.Concat([]string{}, got.Reasons)); d != "" {
				t.Errorf("reasons (-want +got):\n%s", d)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	old := finding(plan.Deny)
	old.New = false
	p := changed(finding(plan.Deny), finding(plan.Warn), old, finding(plan.Info), finding(plan.SeverityError))
	for _, action := range []plan.Action{plan.Create, plan.Delete, plan.Delete, plan.Replace} {
		p.Applications[0].Changes = append(p.Applications[0].Changes, plan.Change{Action: action, Object: web})
	}
	p.Applications = append(p.Applications, plan.Application{Name: "broken", Status: plan.StatusError, Error: "x"})
	want := plan.Summary{Applications: 7, Affected: 1, Create: 1, Update: 1, Delete: 2, Replace: 1, Deny: 1, Warn: 1, Error: 2}
	if d := cmp.Diff(want, Decide(p, Rules{}).Summary); d != "" {
		t.Errorf("summary (-want +got):\n%s", d)
	}
}

func TestReasonsAreCapped(t *testing.T) {
	var all []plan.Finding
	for i := range 25 {
		all = append(all, plan.Finding{Policy: fmt.Sprintf("P%02d", i), Severity: plan.Deny, New: true, Message: strings.Repeat("é", 400)})
	}
	reasons := Decide(changed(all...), Rules{}).Reasons
	if len(reasons) != 11 || reasons[10] != "... and 15 more" {
		t.Errorf("%d reasons, the last %q", len(reasons), reasons[len(reasons)-1])
	}
	if r := reasons[0]; len(r) > maxReason+3 || !strings.HasPrefix(r, "P00 denies") || !strings.HasSuffix(r, "é…") {
		t.Errorf("reason %q", r)
	}
}

func TestListsAreNeverNull(t *testing.T) {
	p := Decide(plan.Plan{Applications: []plan.Application{{Name: "a", Status: plan.Unchanged}}}, Rules{})
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "null") {
		t.Errorf("null in %s", text)
	}
	if p.SchemaVersion != plan.SchemaVersion {
		t.Errorf("schema version %d", p.SchemaVersion)
	}
}

// TestOrder decides plans whose lists are shuffled: everything must come out the same.
func TestOrder(t *testing.T) {
	p := changed()
	other := web
	other.Name = "api"
	p.Policies = append(p.Policies, plan.Policy{Name: "MG102", Source: "b"}, plan.Policy{Name: "MG102", Source: "a"})
	for i := range 6 {
		a := plan.Application{Name: "app" + strconv.Itoa(i/2), Path: "p" + strconv.Itoa(i), Status: plan.Changed}
		for j, severity := range []plan.Severity{plan.Info, plan.Warn, plan.Deny, plan.SeverityError} {
			a.Findings = append(a.Findings, plan.Finding{Policy: "P" + strconv.Itoa(j%2), Severity: severity, New: true, Object: &web, Message: "m"}, plan.Finding{Policy: "P", Severity: severity, Object: &other})
		}
		a.Changes = []plan.Change{{Action: plan.Create, Object: web}, {Action: plan.Delete, Object: other}}
		p.Applications = append(p.Applications, a)
	}
	want := Decide(p, Rules{})
	if got := want.Applications[0].Findings; got[0].Severity != plan.SeverityError || got[2].Severity != plan.Deny || got[len(got)-1].New {
		t.Errorf("findings are not ordered by weight: %+v", got)
	}
	if d := cmp.Diff(want, Decide(want, Rules{})); d != "" {
		t.Errorf("deciding again changes the plan:\n%s", d)
	}
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		shuffled := p
		shuffled.Applications = slices.Clone(p.Applications)
		shuffled.Policies = slices.Clone(p.Policies)
		shuffle(r, shuffled.Applications)
		shuffle(r, shuffled.Policies)
		for i := range shuffled.Applications {
			a := &shuffled.Applications[i]
			a.Findings, a.Changes = slices.Clone(a.Findings), slices.Clone(a.Changes)
			shuffle(r, a.Findings)
			shuffle(r, a.Changes)
		}
		before := fmt.Sprint(shuffled.Applications)
		if d := cmp.Diff(want, Decide(shuffled, Rules{})); d != "" {
			t.Fatalf("seed %d: another order decides differently:\n%s", seed, d)
		}
		if fmt.Sprint(shuffled.Applications) != before {
			t.Fatal("the given plan was modified")
		}
	}
}

func shuffle[T any](r *rand.Rand, list []T) {
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// TestEveryValueIsKnown reads the values that package plan declares: a new one must be decided about.
func TestEveryValueIsKnown(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../plan/plan.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, declaration := range file.Decls {
		constants, ok := declaration.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		for _, spec := range constants.Specs {
			constant := spec.(*ast.ValueSpec)
			kind, ok := constant.Type.(*ast.Ident)
			if !ok {
				continue
			}
			value, err := strconv.Unquote(constant.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			seen[kind.Name]++
			p := changed()
			switch kind.Name {
			case "Status":
				p.Applications[0].Status = plan.Status(value)
			case "Severity":
				p = changed(finding(plan.Severity(value)))
			case "Action":
				p.Applications[0].Changes[0].Action = plan.Action(value)
			}
			if reasons := strings.Join(Decide(p, Rules{}).Reasons, " "); strings.Contains(reasons, "unknown") {
				t.Errorf("%s %q: %s", kind.Name, value, reasons)
			}
		}
	}
	for _, kind := range []string{"Status", "Severity", "Action"} {
		if seen[kind] < 4 {
			t.Errorf("only %d values of %s were found", seen[kind], kind)
		}
	}
}
