package report

import (
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// livetally counts what clusters say of the changes of a plan or an application.
type livetally struct {
	results  map[plan.Result]int
	asked    int // changes with an answer
	expected int // of them, what does just what the action says
	restarts int
	drifted  int // objects, changed or not
	cascades int
}

func (t *livetally) add(a plan.Application) {
	for _, c := range a.Changes {
		answers := answersOf("", c.Live, c.Clusters)
		if len(answers) == 0 {
			continue
		}
		r := worst(answers)
		t.asked++
		t.results[r]++
		for _, is := range []struct {
			n  *int
			so bool
		}{
			{&t.expected, expected(c.Action, r)},
			{&t.restarts, anyLive(answers, restarts)},
			{&t.drifted, anyLive(answers, drifted)},
			{&t.cascades, anyLive(answers, cascades)},
		} {
			if is.so {
				*is.n++
			}
		}
	}
	for _, d := range a.Drifted {
		if anyLive(answersOf("", &d.Live, d.Clusters), unknown) {
			t.results[plan.Unknown]++
		} else {
			t.drifted++
		}
	}
}

func unknown(l plan.Live) bool { return known(l.Result) == plan.Unknown }

func liveTally(apps ...plan.Application) livetally {
	t := livetally{results: map[plan.Result]int{}}
	for _, a := range apps {
		t.add(a)
	}
	return t
}

// refused counts what blocks: "2 objects rejected by the cluster, 1 not known".
func (t livetally) refused() []string {
	var out []string
	rejected, unknown := t.results[plan.Rejected], t.results[plan.Unknown]
	if rejected > 0 {
		out = append(out, plural(rejected, "object")+" rejected by the cluster")
	}
	switch {
	case unknown > 0 && rejected > 0:
		out = append(out, number(unknown)+" not known")
	case unknown > 0:
		out = append(out, "the effect on "+plural(unknown, "object")+" is not known")
	}
	return out
}

// liveScale is what clusters say of the whole plan, without what the title says already.
func (v view) liveScale(title string) []string {
	t := liveTally(v.plan.Applications...)
	parts := t.refused()
	if n := t.results[plan.WillReplace]; n > 0 {
		parts = append(parts, plural(n, "object")+" replaced by the cluster")
	}
	if t.restarts > 0 {
		parts = append(parts, podsRestart(t.restarts))
	}
	if t.drifted > 0 {
		parts = append(parts, plural(t.drifted, "object")+" already different in the cluster")
	}
	var out []string
	for _, p := range parts {
		if !strings.Contains(title, p) {
			out = append(out, p)
		}
	}
	return out
}

// podsRestart counts the workloads whose pods are replaced.
func podsRestart(n int) string { return "pods of " + plural(n, "workload") + " restart" }

// resultSign is the sign of an effect that a reader should not miss.
func resultSign(r plan.Result) string {
	return map[plan.Result]string{plan.Rejected: "⛔", plan.Unknown: "❓", plan.WillReplace: "⚠️"}[r]
}

// liveResult is what a cluster makes of an application, for a cell of the table; empty where none was
// asked.
func liveResult(a plan.Application) (text string, worst int) {
	t := liveTally(a)
	worst = worstNothing
	var parts []string
	for _, r := range seriousness {
		n := t.results[r]
		if n == 0 || t.expected == t.asked {
			continue
		}
		part := number(n) + " " + word(r)
		if s := resultSign(r); s != "" {
			part = s + " **" + part + "**"
			worst = min(worst, resultRank(r))
		}
		parts = append(parts, part)
	}
	if t.asked > 0 && len(parts) == 0 {
		parts = append(parts, "as planned")
	}
	if t.cascades > 0 {
		parts, worst = append(parts, "⚠️ takes others with it"), min(worst, worstDanger)
	}
	switch {
	case t.restarts == 1:
		parts = append(parts, "pods restart")
	case t.restarts > 1:
		parts = append(parts, podsRestart(t.restarts))
	}
	if t.drifted > 0 {
		parts = append(parts, "↩️ reverts drift of "+plural(t.drifted, "object"))
	}
	return strings.Join(parts, ", "), worst
}

// resultRank is the rank of a row with such an effect.
func resultRank(r plan.Result) int {
	switch r {
	case plan.Unknown:
		return worstError
	case plan.Rejected:
		return worstDenied
	default:
		return worstDanger
	}
}

// liveTitle is what the title of a change says of the cluster, in words of ours: the effect, and
// whether pods restart. Both are empty where no cluster was asked.
func (c change) liveTitle() (effect, restart string) {
	r := worst(c.answers)
	if r == "" {
		return "", ""
	}
	if !expected(c.Action, r) {
		effect = word(r) + c.howOften(r)
	}
	switch {
	case r == plan.Rejected || r == plan.Unknown || len(c.restarts) > 0:
	case anyLive(c.answers, restarts):
		restart = "pods restart"
	case workload(c.Object.Kind) && r == plan.WillUpdate:
		restart = "no pods restart"
	}
	return effect, restart
}

// workload says whether an object of such a kind has a pod template that can change.
func workload(kind string) bool {
	return kind == "Deployment" || kind == "StatefulSet" || kind == "DaemonSet"
}

// mark is the sign before a change.
func (c change) mark() string {
	switch {
	case c.danger == isDenied:
		return "⛔"
	case worst(c.answers) == plan.NoEffect:
		return ""
	case c.danger == losesState || c.danger == isDeleted:
		return "⚠️"
	case worst(c.answers) == plan.Unknown:
		return "❓"
	}
	return ""
}
