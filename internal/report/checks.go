package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// CheckOptions says what check runs need to know besides the plan.
type CheckOptions struct {
	BaseName       string // base branch
	BaseInName     bool   // the checks carry the branch in their names: several branches are tracked
	DetailsURL     string // page with the whole plan
	BlobURL        string // address of the head's files, to which /path#L1 is added
	MaxAnnotations int    // of one check run; 0 is 250, five requests
}

func (o CheckOptions) scope() scope {
	return scope{base: o.BaseName, details: o.DetailsURL, blob: o.BlobURL}
}

// name is the full name of a check.
func (o CheckOptions) name(check string) string {
	if !o.BaseInName || o.BaseName == "" {
		return "mergegate / " + check
	}
	return "mergegate / " + check + " (" + o.BaseName + ")"
}

// CheckNames are the names of the check runs that a plan has, in their order.
func CheckNames(o CheckOptions) []string { return []string{o.name("plan"), o.name("policy")} }

// CheckRun is what one check run says. Everything is within GitHub's limits.
type CheckRun struct {
	Name        string
	Status      string // queued, in_progress or completed
	Conclusion  string // success or failure when completed, else empty
	Title       string
	Summary     string
	Text        string
	Annotations []Annotation // in any number: GitHub takes 50 with each request
	Actions     []Action
}

// Annotation is a remark on lines of a file. Message and RawDetails are plain text.
type Annotation struct {
	Path       string
	StartLine  int
	EndLine    int
	Level      string // failure, warning or notice
	Title      string
	Message    string
	RawDetails string
}

// Action is a button of a check run.
type Action struct {
	Label       string
	Description string
	Identifier  string
}

// The states of a check run and its conclusions. There are no others: GitHub lets neutral and skipped
// satisfy a required check.
const (
	StatusQueued      = "queued"
	StatusInProgress  = "in_progress"
	StatusCompleted   = "completed"
	ConclusionSuccess = "success"
	ConclusionFailure = "failure"
)

// GitHub's limits of annotations, in bytes where it says characters too.
const (
	maxTitle          = 255
	maxAnnotationText = 64000
	maxAnnotations    = 250
)

// CheckRuns are the check runs of a plan: one says whether everything could be planned, one what the
// policies say of it. Both succeed if and only if the verdict is pass.
func CheckRuns(p plan.Plan, o CheckOptions) []CheckRun {
	v, s := newView(p), o.scope()
	passed := p.Verdict == plan.Pass
	planned := passed || len(v.failures)+len(v.refusals) == 0
	// What could not be planned was not judged either, so it never leaves the policy check green.
	return []CheckRun{v.planRun(o, s, planned), v.policyRun(o, s, passed)}
}

func completed(o CheckOptions, check string, ok bool) CheckRun {
	run := CheckRun{Name: o.name(check), Status: StatusCompleted, Conclusion: ConclusionFailure, Actions: actions()}
	if ok {
		run.Conclusion = ConclusionSuccess
	}
	return run
}

func actions() []Action {
	return []Action{{Label: "Plan again", Description: "Plan this commit again, on today's base", Identifier: "plan"}}
}

func (v view) planRun(o CheckOptions, s scope, ok bool) CheckRun {
	run := completed(o, "plan", ok)
	run.Title = clip(v.planTitle(ok), maxTitle)
	summary := &document{limit: maxOutput}
	summary.add(v.lead(s, run.Title))
	v.addRefused(summary, s)
	summary.addSection(section{"Could not be planned", v.failureItems(s), maxOutput / 2}, s)
	summary.add(v.warning())
	v.addTable(summary, s)
	v.addLive(summary, s)
	v.addNotes(summary, s)
	text := &document{limit: maxOutput}
	v.addChanges(text, s, 0)
	var annotations []Annotation
	for _, f := range v.failures {
		if a, ok := annotation(f.location, "failure"); ok {
			a.Title = clip("Could not be planned: "+visible(list(f.apps, 3, plain)), maxTitle)
			a.Message = clip(blockText(f.message), maxAnnotationText)
			annotations = append(annotations, a)
		}
	}
	annotations = append(annotations, v.refusalAnnotations()...)
	run.Annotations = limitAnnotations(annotations, o, summary)
	run.Summary, run.Text = summary.String(), text.String()
	return run
}

// lead is how a summary begins: with what was planned, and the plan's digest, to which approvals are
// bound, in full.
func (v view) lead(s scope, title string) string {
	parts := slices.Insert(v.facts(s, title), 1, "plan "+code(v.plan.Digest))
	return v.identity() + "Head " + factLine(parts) + "\n"
}

func plain(s string) string { return s }

// section is a list with a heading.
type section struct {
	heading string
	items   []item
	reserve int // bytes that it leaves free
}

// addSection adds as many items as fit and counts the others.
func (d *document) addSection(x section, s scope) {
	if len(x.items) == 0 {
		return
	}
	d.add("**" + x.heading + "**\n\n")
	if left := d.addAll(x.items, len(x.items), x.reserve); len(left) > 0 {
		d.add(fmt.Sprintf("- and %s more: %s\n", number(things(left)), s.whole()))
	}
	d.add("\n")
}

func (v view) policyRun(o CheckOptions, s scope, ok bool) CheckRun {
	run := completed(o, "policy", ok)
	run.Title = clip(v.policyTitle(ok), maxTitle)
	summary := &document{limit: maxOutput}
	summary.add(v.lead(s, run.Title))
	if !ok {
		summary.addSection(section{"What blocks this", v.blockers(s, false), maxOutput / 10}, s)
		summary.add(v.clearing(s) + "\n")
	}
	run.Annotations = limitAnnotations(v.policyAnnotations(), o, summary)
	run.Summary = summary.String()
	text := &document{limit: maxOutput}
	v.addFindings(text, s, nil)
	v.addPolicies(text, s)
	run.Text = text.String()
	return run
}

func (v view) policyTitle(ok bool) string {
	if !ok {
		return v.headline()
	}
	title := "Nothing denied"
	if v.plan.Summary.Deny > 0 {
		title = plural(v.plan.Summary.Deny, "denial") + " let pass"
	}
	if v.plan.Summary.Warn > 0 {
		title += ", " + plural(v.plan.Summary.Warn, "warning")
	}
	if n := len(v.plan.Policies); n > 0 {
		title += ", " + evaluated(n)
	}
	return title
}

// addPolicies lists what was evaluated.
func (v view) addPolicies(d *document, s scope) {
	if len(v.plan.Policies) == 0 {
		return
	}
	if v.plan.PolicyRevision != "" {
		d.add("Policies at " + name(v.plan.PolicyRevision) + "\n\n")
	}
	bySource := newGroups[policySource]()
	for _, p := range v.plan.Policies {
		g := bySource.get(p.Source, func() *policySource { return &policySource{source: p.Source} })
		g.names = append(g.names, p.Name)
	}
	var items []item
	for _, g := range bySource.values() {
		text := fmt.Sprintf("- %s from %s: %s\n", plural(len(g.names), "policy", "policies"), name(g.source), list(g.names, 200, name))
		items = append(items, item{text, len(g.names)})
	}
	d.addSection(section{"Evaluated", items, 500}, s)
}

// policySource is where policies are from, with their names.
type policySource struct {
	source string
	names  []string
}

func (v view) policyAnnotations() []Annotation {
	var out []Annotation
	for _, f := range v.findings {
		if !f.counts() && !f.blocks() {
			continue
		}
		a, ok := annotation(f.Location, level(f.Severity))
		if !ok {
			continue
		}
		a.Title = f.label()
		if f.Title != f.Message {
			a.RawDetails = clip(blockText(f.Title), maxAnnotationText)
		}
		message := blockText(f.Message)
		if len(f.apps) > 0 {
			message = clip(message, maxAnnotationText-2000) + "\n(in " + visible(list(f.apps, maxNames, func(s string) string { return clip(s, maxName) })) + ")"
		}
		a.Message = clip(message, maxAnnotationText)
		out = append(out, a)
	}
	return out
}

// label says which policy says how much: "MG101 denies", but "team.deny", which says so itself.
func (f finding) label() string {
	verb, ok := map[plan.Severity]string{plan.Deny: " denies", plan.Warn: " warns", plan.Info: " remarks"}[f.Severity]
	switch {
	case !ok:
		verb = " could not be evaluated"
	case strings.HasSuffix(f.Policy, "."+string(f.Severity)):
		verb = ""
	}
	return brief(f.Policy, maxTitle-len(verb)) + verb
}

// level is a severity as GitHub's annotation level.
func level(s plan.Severity) string {
	switch s {
	case plan.Warn:
		return "warning"
	case plan.Info:
		return "notice"
	default:
		return "failure"
	}
}

// annotation is an annotation at a location, if that says enough for one.
func annotation(l *manifest.Location, level string) (Annotation, bool) {
	if l == nil || l.File == "" || l.Line < 1 || visible(l.File) != l.File {
		return Annotation{}, false
	}
	return Annotation{Path: l.File, StartLine: l.Line, EndLine: l.Line, Level: level}, true
}

// limitAnnotations orders annotations, heaviest first, and counts in d those that are too many.
func limitAnnotations(all []Annotation, o CheckOptions, d *document) []Annotation {
	order := []string{"failure", "warning", "notice"}
	slices.SortStableFunc(all, func(a, b Annotation) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Level), slices.Index(order, b.Level)),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.StartLine, b.StartLine), cmp.Compare(a.Title, b.Title))
	})
	most := cmp.Or(o.MaxAnnotations, maxAnnotations)
	if len(all) <= most {
		return all
	}
	d.add(fmt.Sprintf("%s on the lines of the pull request, %s more are not: %s.\n", plural(most, "remark is", "remarks are"), number(len(all)-most), o.scope().whole()))
	return all[:most]
}
