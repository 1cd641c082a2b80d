package report

import (
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// letPass lists what is rejected or not known where the verdict passes all the same.
func (v view) letPass(s scope, terse bool) []item {
	if v.plan.Verdict != plan.Pass {
		return nil
	}
	return v.refusalItems(s, terse)
}

// addRefused adds what clusters reject and what is not known, with who can clear it.
func (v view) addRefused(d *document, s scope) {
	items := v.refusalItems(s, false)
	if len(items) == 0 {
		return
	}
	d.addSection(section{"Rejected by the cluster or not known", items, maxOutput / 2}, s)
	d.add("**Who can clear it:** " + strings.Join(v.clearers(markdownPen), "; ") + ".\n\n")
}

// sentenceCase is s with a capital first letter.
func sentenceCase(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// title says what is refused: "Rejected by prod-eu".
func (r refusal) title() string {
	if r.silent {
		return sentenceCase(r.label(textPen))
	}
	return sentenceCase(string(r.result)) + " " + r.label(textPen)
}

// refusalAnnotations are what clusters reject, on the lines that set the fields.
func (v view) refusalAnnotations() []Annotation {
	var out []Annotation
	for _, r := range v.refusals {
		if r.result != plan.Rejected {
			continue
		}
		for _, o := range r.objects {
			a, ok := annotation(o.at, "failure")
			if !ok {
				continue
			}
			a.Title = clip(r.title(), maxTitle)
			a.Message = clip(blockText(r.reason), maxAnnotationText-2*maxAnnotationName) +
				"\n(" + brief(o.object.String(), maxAnnotationName) + " in " + brief(o.app, maxName) + ")"
			out = append(out, a)
		}
	}
	return out
}

const maxAnnotationName = 1000

// liveCommands are what clusters say as workflow commands: what is refused as errors, what would be
// reverted as notices.
func (v view) liveCommands() string {
	var b strings.Builder
	for _, r := range v.refusals {
		if r.result != plan.Rejected {
			b.WriteString(workflowCommand("error", nil, r.title(), oneLine(r.reason)+"\n"+r.about(textPen)))
			continue
		}
		for _, o := range r.objects {
			b.WriteString(workflowCommand("error", o.at, r.title(), blockText(r.reason)+"\n"+visible(o.object.String())+" in "+visible(o.app)))
		}
	}
	for _, d := range v.drifts {
		objects, where := d.object(textPen)
		b.WriteString(workflowCommand("notice", nil, driftHeading, objects+" "+where+"\n"+strings.Join(d.lines(textPen), "\n")))
	}
	if len(v.plan.Clusters) > 0 {
		b.WriteString(workflowCommand("notice", nil, "Clusters", strings.Join(v.clusterLines(textPen), "\n")))
	}
	return b.String()
}

// lines are the fields of a drift and what else is to know, each in one line.
func (d drift) lines(p pen) []string {
	var out []string
	for _, r := range d.rows(p, everything) {
		line := r.at + ": " + r.transition()
		if r.by != "" {
			line += ", " + changedBy(r.by)
		}
		out = append(out, line)
	}
	return append(out, d.remarks(p)...)
}

// live writes what clusters refuse, before other things that block.
func (t *text) refusals() {
	for _, r := range t.view.refusals {
		t.put(red, "  ", string(r.result), " ", r.label(textPen))
		t.paragraph("    ", r.reason)
		t.put("", "    ", r.about(textPen))
	}
}

// clear says who can clear what clusters refuse.
func (t *text) clear() {
	for _, c := range t.view.clearers(textPen) {
		t.put("", "  who can clear it: ", c)
	}
}

// clusters writes which clusters were asked and where they differ.
func (t *text) clusters() {
	lines := t.view.clusterLines(textPen)
	if len(lines) == 0 {
		return
	}
	t.section("Clusters")
	for _, l := range lines {
		t.put("", "  ", l)
	}
	m := t.view.matrix
	if !m.differs() {
		return
	}
	t.put(yellow, "  ", m.heading(textPen))
	for i, c := range m.rows {
		t.put("", "    ", visible(c.subject), " in ", textPen.list(c.apps), ":")
		for _, x := range m.columns {
			if x.cells[i] != "" {
				t.put("", "      ", clusterNames(x.clusters, textPen), ": ", x.cells[i])
			}
		}
	}
	if m.alike > 0 {
		t.put("", "    ", plural(m.alike, "other change is", "other changes are"), " the same on all clusters")
	}
}

// drift writes what the merge would revert.
func (t *text) drift() {
	if len(t.view.drifts) == 0 {
		return
	}
	t.section(driftHeading)
	for _, d := range t.view.drifts {
		objects, where := d.object(textPen)
		t.put(yellow, "  ", objects, " ", where)
		for _, l := range d.lines(textPen) {
			t.put("", "    ", l)
		}
	}
}

// junitRefused are the objects of an application that clusters refuse, as cases.
func junitRefused(a plan.Application) []junitCase {
	class := visible(a.Name)
	var out []junitCase
	for _, c := range a.Changes {
		for _, answer := range answersOf(a.Cluster, c.Live, c.Clusters) {
			result := known(answer.Live.Result)
			if result != plan.Rejected && result != plan.Unknown {
				continue
			}
			text := blockText(reasonOf(answer.Live))
			reason := &junitReason{Message: firstLine(text), Type: liveRule(result), Text: text}
			one := junitCase{Name: "live " + visible(c.Object.String()), ClassName: class}
			if len(answer.Clusters) > 0 {
				one.Name += " on " + clusterNames(answer.Clusters, textPen)
			}
			if l := sourceOf(c); l != nil {
				one.File, one.Line = visible(l.File), l.Line
			}
			if one.Failure = reason; result == plan.Unknown {
				one.Failure, one.Error = nil, reason
			}
			out = append(out, one)
		}
	}
	return out
}

// reasonOf is why something is refused.
func reasonOf(l plan.Live) string {
	if l.Reason == "" {
		return "no reason was given"
	}
	return l.Reason
}

// liveRule is the stable id of a refusal.
func liveRule(r plan.Result) string { return "live/" + string(r) }

// refusals are what clusters reject, object by object, and what is not known, reason by reason.
func (s *sarifWriter) refusals(p plan.Plan) {
	apps := map[string]plan.Application{}
	for _, a := range p.Applications {
		apps[a.Name] = a
	}
	for _, r := range refusalsOf(p) {
		objects := r.objects
		if r.result == plan.Unknown {
			objects = objects[:1]
		}
		for _, o := range objects {
			s.refusal(r, o, apps[o.app])
		}
	}
}

func (s *sarifWriter) refusal(r refusal, o refused, a plan.Application) {
	title, about := "The cluster rejects an object", visible(o.object.String())+" in "+visible(o.app)
	if r.result == plan.Unknown {
		title, about = "What a cluster would do is not known", r.about(textPen)
	}
	message := r.title() + ": " + r.reason + "\n" + about
	s.results = append(s.results, sarifResult{
		RuleID:              liveRule(r.result),
		RuleIndex:           s.rule(liveRule(r.result), title, ""),
		Level:               "error",
		Message:             sarifText{blockText(message)},
		Locations:           []sarifLocation{sarifPlace(o.at, a, &o.object)},
		PartialFingerprints: map[string]string{"mergegate/v1": hash(liveRule(r.result), o.app, o.object.Key(), r.reason)},
		BaselineState:       "new",
		Properties:          appProperties(a),
	})
}

// planTitle says what could not be planned or is refused, or what the change does.
func (v view) planTitle(ok bool) string {
	if !ok {
		n := 0
		for _, f := range v.failures {
			n += len(f.apps)
		}
		parts := liveTally(v.plan.Applications...).refused()
		if n > 0 || len(parts) == 0 {
			parts = append([]string{plural(n, "application") + " could not be planned"}, parts...)
		}
		return sentenceCase(strings.Join(parts, ", "))
	}
	return v.effect()
}

// changedBy says in a sentence who changed a field.
func changedBy(who string) string {
	if who == unrecorded {
		return "by whom is not recorded"
	}
	return "changed by " + who
}
