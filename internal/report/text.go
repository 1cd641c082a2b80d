package report

import (
	"cmp"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// TextOptions says how text for a terminal looks.
type TextOptions struct {
	Color bool
}

// Text is the plan for a terminal or a log.
func Text(p plan.Plan, o TextOptions) string {
	t := &text{view: newView(p), color: o.Color}
	t.head()
	t.blockers()
	t.applications()
	t.clusters()
	t.drift()
	t.notes()
	t.findings()
	t.changes()
	return t.b.String()
}

// text writes lines. Every line goes through put.
type text struct {
	view  view
	color bool
	b     strings.Builder
}

// The colours, by what they are for.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// put writes one line. What it holds can neither end the line nor steer the terminal.
func (t *text) put(colour string, parts ...string) {
	line := terminal(strings.Join(parts, ""))
	if t.color && colour != "" && line != "" {
		line = "\x1b[" + colour + "m" + line + "\x1b[0m"
	}
	t.b.WriteString(line + "\n")
}

// paragraph writes text of several lines, indented.
func (t *text) paragraph(indent, s string) {
	for l := range strings.Lines(blockText(s)) {
		t.put("", indent, strings.TrimRight(l, "\n"))
	}
}

func (t *text) head() {
	p := t.view.plan
	colour := red
	if p.Verdict == plan.Pass {
		colour = green
	}
	t.put(bold+";"+colour, t.view.headline())
	t.put("", "plan ", p.Digest)
	t.put("", "head ", short(p.Head), ", base ", short(p.Base), ", ", strings.Join(t.view.scale(t.view.headline()), ", "))
}

// section writes a heading after an empty line.
func (t *text) section(title string) {
	t.put("", "")
	t.put(bold, title)
}

func (t *text) blockers() {
	v := t.view
	if v.plan.Verdict == plan.Pass {
		return
	}
	blocking, reasons := v.blocking(), v.reasons()
	if len(v.failures)+len(v.refusals)+len(blocking)+len(reasons) == 0 {
		return
	}
	t.section("What blocks this")
	for _, r := range reasons {
		t.put(red, "  ", r)
	}
	t.refusals()
	for _, f := range v.failures {
		t.put(red, "  error ", list(f.apps, 20, plain), " could not be planned")
		t.paragraph("    ", f.located())
	}
	for _, f := range blocking {
		t.finding(f)
	}
	t.clear()
}

func (t *text) notes() {
	if len(t.view.notes) == 0 {
		return
	}
	t.section("Notes")
	for _, n := range t.view.notes {
		if len(n.apps) > 0 {
			t.put("", "  ", list(n.apps, 20, plain), ":")
			t.paragraph("    ", n.text)
			continue
		}
		t.paragraph("  ", n.text)
	}
}

// at puts a place behind something.
func at(place string) string {
	if place == "" {
		return ""
	}
	return " (" + place + ")"
}

func (t *text) finding(f finding) {
	colour := map[plan.Severity]string{plan.Warn: yellow, plan.Info: ""}
	c, known := colour[f.Severity]
	if !known {
		c = red
	}
	t.put(c, "  ", severity(f.Severity), " ", f.Policy, at(place(f.Location)))
	t.paragraph("    ", f.Message)
	var where []string
	if len(f.objects) > 0 {
		var names []string
		for _, o := range f.objects {
			names = append(names, o.String())
		}
		where = append(where, list(names, maxNames, plain))
	}
	if len(f.apps) > 0 {
		where = append(where, "in "+list(f.apps, maxNames, plain))
	}
	if f.WaivedBy != "" {
		where = append(where, "waived by "+f.WaivedBy)
	}
	if len(where) > 0 {
		t.put("", "    ", strings.Join(where, " "))
	}
}

func (t *text) applications() {
	if len(t.view.plan.Applications) == 0 {
		return
	}
	t.section("Applications")
	for _, a := range t.view.plan.Applications {
		text, worst := result(a)
		if live, rank := liveResult(a); live != "" {
			text, worst = text+"; in the cluster: "+live, min(worst, rank)
		}
		colour := map[int]string{worstError: red, worstDenied: red, worstDanger: yellow}[worst]
		where := a.Path
		if a.Environment != "" {
			where += ", " + a.Environment
		}
		t.put(colour, "  ", a.Name, " (", where, "): ", strings.ReplaceAll(text, "**", ""))
	}
}

func (t *text) findings() {
	v := t.view
	open := v.open()
	if len(open) > 0 {
		t.section("Findings")
	}
	for _, f := range open {
		t.finding(f)
	}
	old := v.some(func(f finding) bool { return !f.counts() && !f.blocks() })
	if len(old) == 0 {
		return
	}
	t.section("Known or waived, not blocking")
	for _, f := range old {
		t.finding(f)
	}
}

func (t *text) changes() {
	if len(t.view.changes) == 0 {
		return
	}
	t.section("Changes")
	for _, c := range t.view.changes {
		mark := ""
		if m := c.mark(); m == "⚠️" {
			mark = "! "
		}
		gist := c.gist()
		if gist != "" {
			gist = ", " + gist
		}
		if r := c.restart(plain); r != "" {
			gist = ", " + r
		}
		effect, pods := c.liveTitle()
		if pods != "" {
			gist += ", " + pods
		}
		t.put(bold, "  ", mark, string(c.Action), arrow(effect), " ", c.subject(), gist)
		t.put("", "    in ", list(c.apps(), 20, plain))
		for _, l := range c.said(textPen) {
			t.put(cyan, "    ", l)
		}
		if c.Diff == "" {
			t.fields(c)
			continue
		}
		for l := range strings.Lines(strings.TrimRight(diffBody(c.Diff), "\n")) {
			l = strings.TrimRight(l, "\n")
			t.put(diffColour(l), "    ", l)
		}
	}
}

func (t *text) fields(c change) {
	for _, f := range c.Fields {
		t.put("", "    ", cmp.Or(f.At, f.Path), ": ", cmp.Or(value(f.Before), "nothing"), " -> ", cmp.Or(value(f.After), "nothing"))
	}
}

func diffColour(line string) string {
	switch {
	case strings.HasPrefix(line, "+"):
		return green
	case strings.HasPrefix(line, "-"):
		return red
	case strings.HasPrefix(line, "@@"):
		return cyan
	default:
		return ""
	}
}
