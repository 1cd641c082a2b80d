package report

import (
	"cmp"
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

//go:embed page.html
var pageTemplate string

// PageOptions says what the page needs to know besides the plan.
type PageOptions struct {
	Title    string // what was planned: owner/repository #42
	BaseName string // base branch
	PullURL  string // address of the pull request
	BlobURL  string // address of the head's files, to which /path#L1 is added
}

// HTML is the page with all of a plan: nothing is cut. It loads nothing and runs nothing.
func HTML(p plan.Plan, o PageOptions) ([]byte, error) {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse page template: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, newPage(p, o)); err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return []byte(b.String()), nil
}

// These types are what the template shows. Their texts are visible; html/template escapes them.
type (
	pageData struct {
		Title, Headline, Base, Digest, Extent, Revision string
		BaseCommit, HeadCommit                          pageLink
		PullURL                                         string
		Passed                                          bool
		Blockers, Open, Old                             []pageFinding
		Reasons                                         []string
		Rows                                            []pageRow
		Changes                                         []pageChange
		Policies                                        []plan.Policy
		Notes                                           []pageNote
		Live                                            pageLive
	}
	pageFinding struct {
		Severity, Policy, Title, Message, Objects, Apps, Waived string
		URL                                                     string
		Location                                                pageLink
	}
	pageLink struct{ Text, URL string }
	pageNote struct{ Text, Apps string }
	pageRow  struct {
		Name, Environment, Result, Class string
		Live                             string
		Path                             []string   // in parts at which it may be broken
		Why                              [][]string // such paths
	}
	pageChange struct {
		Action, Subject, Gist, Restart, Class string
		Pods                                  string
		Said                                  []string
		Open                                  bool
		Apps                                  []string
		Sources                               []pageLink
		Lines                                 []pageLine
		Fields                                []pageField
	}
	pageLine  struct{ Class, Text string }
	pageField struct{ At, Before, After string }
)

func newPage(p plan.Plan, o PageOptions) pageData {
	v, s := newView(p), scope{base: o.BaseName, blob: o.BlobURL}
	d := pageData{
		Title: visible(o.Title), Headline: v.headline(), Base: visible(o.BaseName), BaseCommit: s.commit(p.Base), HeadCommit: s.commit(p.Head),
		Digest: visible(p.Digest), Extent: strings.Join(append(v.extent(v.headline()), v.liveScale(v.headline())...), " · "), Revision: visible(p.PolicyRevision),
		PullURL: webAddress(o.PullURL), Passed: p.Verdict == plan.Pass,
	}
	d.Live, d.Blockers = v.pageLive(), s.pageRefusals(v)
	for _, f := range v.failures {
		d.Blockers = append(d.Blockers, pageFinding{
			Severity: "error", Policy: "could not be planned", Message: blockText(f.message),
			Apps: visible(strings.Join(f.apps, ", ")), Location: s.pageLink(place(f.location), f.location),
		})
	}
	for _, f := range v.blocking() {
		d.Blockers = append(d.Blockers, s.pageFinding(f))
	}
	for _, f := range v.open() {
		d.Open = append(d.Open, s.pageFinding(f))
	}
	for _, f := range v.some(func(f finding) bool { return !f.counts() && !f.blocks() }) {
		d.Old = append(d.Old, s.pageFinding(f))
	}
	for _, r := range v.reasons() {
		d.Reasons = append(d.Reasons, blockText(r))
	}
	for _, n := range v.notes {
		d.Notes = append(d.Notes, pageNote{blockText(n.text), visible(strings.Join(n.apps, ", "))})
	}
	for _, a := range p.Applications {
		d.Rows = append(d.Rows, newPageRow(a))
	}
	for i, c := range v.changes {
		d.Changes = append(d.Changes, s.pageChange(c, i < 20))
	}
	for _, policy := range p.Policies {
		d.Policies = append(d.Policies, plan.Policy{Name: visible(policy.Name), Source: visible(policy.Source)})
	}
	return d
}

func (s scope) pageLink(text string, l *manifest.Location) pageLink {
	if text == "" {
		return pageLink{}
	}
	return pageLink{Text: visible(text), URL: webAddress(s.address(l))}
}

// commit is a commit as a link into the repository that the files are in.
func (s scope) commit(sha string) pageLink {
	out := pageLink{Text: visible(sha)}
	if i := strings.LastIndex(s.blob, "/blob/"); i >= 0 {
		out.URL = webAddress(s.blob[:i] + "/commit/" + filePath(sha))
	}
	return out
}

func (s scope) pageFinding(f finding) pageFinding {
	var objects []string
	for _, o := range f.objects {
		objects = append(objects, visible(o.String()))
	}
	out := pageFinding{
		Severity: severity(f.Severity), Policy: visible(f.Policy), Title: visible(f.Title), Message: blockText(f.Message), URL: webAddress(f.URL),
		Objects: strings.Join(objects, ", "), Apps: visible(strings.Join(f.apps, ", ")), Location: s.pageLink(place(f.Location), f.Location),
	}
	if f.WaivedBy != "" {
		out.Waived = "waived by " + visible(f.WaivedBy)
	} else if !f.New {
		out.Waived = "the base branch has it too"
	}
	return out
}

func newPageRow(a plan.Application) pageRow {
	text, worst := result(a)
	class := map[int]string{worstError: "bad", worstDenied: "bad", worstDanger: "danger", worstNothing: "quiet"}[worst]
	live, rank := liveResult(a)
	if rank < worst {
		class = map[int]string{worstError: "bad", worstDenied: "bad", worstDanger: "danger"}[rank]
	}
	row := pageRow{Live: strings.ReplaceAll(live, "**", ""), Name: visible(a.Name), Path: pathBreaks(a.Path), Environment: visible(a.Environment), Result: strings.ReplaceAll(text, "**", ""), Class: class}
	for _, by := range a.AffectedBy {
		row.Why = append(row.Why, pathBreaks(by))
	}
	return row
}

// pathBreaks takes a path apart at its slashes, where a narrow column may break it.
func pathBreaks(path string) []string { return strings.SplitAfter(visible(path), "/") }

func (s scope) pageChange(c change, open bool) pageChange {
	effect, pods := c.liveTitle()
	out := pageChange{Action: string(c.Action) + arrow(effect), Pods: pods, Said: pageLines(c.said(pagePen)), Subject: visible(c.subject()), Gist: visible(c.gist()), Restart: visible(c.restart(plain)), Open: open && len(c.restarts) == 0}
	if c.danger == losesState || c.danger == isDeleted {
		out.Class = "danger"
	}
	if c.danger == isDenied {
		out.Class = "bad"
	}
	for _, a := range c.apps() {
		out.Apps = append(out.Apps, visible(a))
	}
	for _, g := range c.settings() {
		for i, l := range g.places {
			out.Sources = append(out.Sources, s.pageLink(g.place(i), l))
		}
	}
	for _, f := range c.Fields {
		out.Fields = append(out.Fields, pageField{visible(cmp.Or(f.At, f.Path)), visible(value(f.Before)), visible(value(f.After))})
	}
	if c.Diff == "" {
		return out
	}
	for l := range strings.Lines(diffBody(c.Diff)) {
		out.Lines = append(out.Lines, pageLine{lineClass(l), visibleLine(strings.TrimRight(l, "\n"))})
	}
	return out
}

func lineClass(line string) string {
	switch {
	case strings.HasPrefix(line, "+"):
		return "add"
	case strings.HasPrefix(line, "-"):
		return "del"
	case strings.HasPrefix(line, "@@"):
		return "hunk"
	default:
		return ""
	}
}
