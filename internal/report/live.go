package report

import (
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// pen writes names and texts in the form of one format.
type pen struct {
	name   func(string) string // a name or value
	text   func(string) string // what somebody else has worded
	strong func(string) string // a word of ours that stands out
	most   int                 // names in a list
}

var (
	markdownPen = pen{name, func(s string) string { return sentence(s, maxMessage) }, starred, maxNames}
	tablePen    = pen{
		func(s string) string { return cell(brief(s, maxCell)) },
		func(s string) string { return sentence(strings.ReplaceAll(s, "|", `\u007c`), maxName) }, starred, maxAlike,
	}
	textPen = pen{visible, oneLine, plain, 20}
	pagePen = pen{visible, oneLine, plain, everything}
)

const (
	maxCell    = 80 // bytes of one value in a table
	everything = int(^uint(0) >> 1)
)

func (p pen) list(names []string) string { return list(names, p.most, p.name) }

func starred(s string) string { return "**" + s + "**" }

// oneLine is text of one line in which everything is visible.
func oneLine(s string) string { return visible(strings.Join(strings.Fields(s), " ")) }

// seriousness orders what a cluster would do, most serious first.
var seriousness = []plan.Result{
	plan.Rejected, plan.Unknown, plan.WillReplace, plan.WillDelete, plan.WillAdopt, plan.WillCreate, plan.WillUpdate, plan.NoEffect,
}

// known is a result that has a word of its own. Any other says as much as that nothing is known.
func known(r plan.Result) plan.Result {
	if slices.Contains(seriousness, r) {
		return r
	}
	return plan.Unknown
}

// word is the live effect as a word.
func word(r plan.Result) string { return strings.ToUpper(string(known(r))) }

// expected says whether a cluster would do just what the action says.
func expected(a plan.Action, r plan.Result) bool {
	return map[plan.Action]plan.Result{
		plan.Create: plan.WillCreate, plan.Update: plan.WillUpdate, plan.Delete: plan.WillDelete, plan.Replace: plan.WillReplace,
	}[a] == r
}

// answersOf are what the clusters say of an object, those that say the same as one.
func answersOf(cluster string, live *plan.Live, all []plan.ClusterLive) []plan.ClusterLive {
	if len(all) > 0 {
		return all
	}
	if live == nil {
		return nil
	}
	var clusters []string
	if cluster != "" {
		clusters = []string{cluster}
	}
	return []plan.ClusterLive{{Clusters: clusters, Live: *live}}
}

// worst is the most serious of the answers, and empty where no cluster was asked.
func worst(answers []plan.ClusterLive) plan.Result {
	var out plan.Result
	for _, a := range answers {
		if r := known(a.Live.Result); out == "" || slices.Index(seriousness, r) < slices.Index(seriousness, out) {
			out = r
		}
	}
	return out
}

// anyLive says whether one of the answers is so.
func anyLive(answers []plan.ClusterLive, is func(plan.Live) bool) bool {
	return slices.ContainsFunc(answers, func(a plan.ClusterLive) bool { return is(a.Live) })
}

func restarts(l plan.Live) bool  { return l.Restarts }
func drifted(l plan.Live) bool   { return len(l.Drift) > 0 }
func cascades(l plan.Live) bool  { return len(l.Cascade) > 0 }
func breaks(l plan.Live) bool    { return len(l.Invalid) > 0 }
func replaces(l plan.Live) bool  { return l.Result == plan.WillReplace }
func isRefused(l plan.Live) bool { return l.Result == plan.Rejected }

// explanations say what an effect means that is not what the action says.
var explanations = map[plan.Result]string{
	plan.WillCreate:  "it is not in the cluster",
	plan.WillUpdate:  "it is changed in place",
	plan.WillReplace: "it is deleted and created again",
	plan.WillDelete:  "it goes from the cluster",
	plan.WillAdopt:   "it is in the cluster already, though not in the base branch, and is taken over",
	plan.NoEffect:    "the cluster is like that already",
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// arrow puts an effect behind an action.
func arrow(effect string) string {
	if effect == "" {
		return ""
	}
	return " → " + effect
}

// maxSaid is how many lines of what clusters say are shown with one change, where that is limited.
const maxSaid = 10

// liveList is what the clusters say of a change, as a list of at most so many lines, 0 all.
func (c change) liveList(s scope, most int) string {
	lines := c.said(markdownPen)
	if len(lines) == 0 {
		return ""
	}
	if most = min(most, maxSaid); most > 0 && len(lines) > most {
		lines = append(lines[:most:most], plural(len(lines)-most, "more line")+": "+s.whole())
	}
	var b strings.Builder
	for _, l := range lines {
		text, more := strings.CutPrefix(l, below)
		if more {
			b.WriteString(below)
		}
		b.WriteString("- " + text + "\n")
	}
	return b.String() + "\n"
}

// wasAsked says whether a cluster was asked about an application.
func wasAsked(a plan.Application) bool {
	return len(a.Drifted) > 0 || slices.ContainsFunc(a.Changes, func(c plan.Change) bool { return c.Live != nil || len(c.Clusters) > 0 })
}

// addLive adds what the clusters say of the whole plan.
func (v view) addLive(d *document, s scope) {
	v.addClusters(d)
	v.addMatrix(d, s)
	v.addDrift(d, s)
}
