package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// part are the members of a change of which the clusters say the same.
type part struct {
	members []member
	answers []plan.ClusterLive // of the first member
	several bool               // of applications on several clusters
	key     string
}

// addAnswers puts a member, which has just been added, to the part that its answers are like.
func (c *change) addAnswers(m member, of plan.Change, cluster string) {
	p := part{answers: answersOf(cluster, of.Live, of.Clusters), several: len(of.Clusters) > 0}
	p.key = change{Change: of}.sameAnswers(p)
	i := slices.IndexFunc(c.parts, func(o part) bool { return o.key == p.key })
	if i < 0 {
		i = len(c.parts)
		c.parts = append(c.parts, p)
		c.answers = slices.Concat(c.answers, p.answers)
	}
	c.parts[i].members = append(c.parts[i].members, m)
}

// sameAnswers is equal for members of which the clusters say the same, and empty where none was asked.
func (c change) sameAnswers(p part) string {
	var words []string
	for _, a := range p.answers {
		words = append(words, "", word(a.Live.Result), fmt.Sprint(a.Live.Restarts))
		if p.several {
			words = append(words, a.Clusters...)
		}
		words = append(words, c.told(a.Live, pagePen)...)
	}
	return strings.Join(words, "\x00")
}

// apps names the applications of a part, each one once.
func (p part) apps() []string {
	return distinct(p.members, func(m member) string { return m.app })
}

// differ says whether the clusters of an application do not say the same.
func (c change) differ(x part) bool {
	effect := func(a plan.ClusterLive) []string { return append(c.told(a.Live, pagePen), effectOf(a.Live, pagePen)) }
	return slices.ContainsFunc(x.answers, func(a plan.ClusterLive) bool { return !slices.Equal(effect(a), effect(x.answers[0])) })
}

// said is what the clusters say of a change beyond its action, as lines. Why something is rejected or
// not known stands with what blocks.
func (c change) said(p pen) []string {
	if len(c.parts) == 1 && len(c.answers) > 0 && !c.differ(c.parts[0]) {
		return c.told(c.answers[0].Live, p)
	}
	if len(c.answers) == 0 {
		return nil
	}
	var out []string
	serious := slices.SortedStableFunc(slices.Values(c.parts), func(a, b part) int {
		return cmp.Compare(slices.Index(seriousness, worst(a.answers)), slices.Index(seriousness, worst(b.answers)))
	})
	for _, x := range serious {
		in := ""
		if len(c.parts) > 1 {
			in = "In " + p.list(x.apps())
		}
		out = append(out, c.saidOf(x, in, p)...)
	}
	return out
}

// saidOf is what the clusters say of one part, each line with where that is.
func (c change) saidOf(x part, in string, p pen) []string {
	if len(x.answers) == 0 {
		return []string{in + ": no cluster was asked"}
	}
	differ := c.differ(x)
	var out []string
	for _, a := range x.answers {
		at := in
		if differ {
			at = strings.TrimPrefix(in+", on "+clusterNames(a.Clusters, p), ", ")
		}
		lines := c.told(a.Live, p)
		if len(lines) == 0 || !strings.HasPrefix(lines[0], p.strong(word(a.Live.Result))) {
			lines = append([]string{effectOf(a.Live, p)}, lines...)
		}
		for i, line := range lines {
			lines[i] = below + line
		}
		out = append(append(out, sentenceCase(at)+": "+strings.TrimPrefix(lines[0], below)), lines[1:]...)
		if !differ {
			break
		}
	}
	return out
}

// below is before a line that says more of the one above it.
const below = "  "

// effectOf is the word of an effect, and whether pods restart.
func effectOf(l plan.Live, p pen) string {
	if l.Restarts {
		return p.strong(word(l.Result)) + ", pods restart"
	}
	return p.strong(word(l.Result))
}

// told is what one answer says beyond the action.
func (c change) told(l plan.Live, p pen) []string {
	var out []string
	if why := c.explained(l, p); why != "" {
		out = append(out, why)
	}
	if l.Offline {
		out = append(out, "Predicted offline, by its schema, since what it needs arrives in the same change: no admission webhook or policy has seen it")
	}
	out = append(out, c.sets(l, p)...)
	for _, g := range byOwner(beyondDrift(l)) {
		out = append(out, "Takes "+transitions(g.fields, p)+" from "+orElse(g.owners(p), "its default"))
	}
	for _, g := range byOwner(l.Keeps) {
		out = append(out, "Stays in the cluster: "+p.list(paths(g.fields))+", since "+orElse(g.owners(p), "another manager")+" owns it")
	}
	for _, gone := range l.Cascade {
		out = append(out, "Takes "+cascadeWords(gone, p)+" with it"+cascadeNames(gone, p))
	}
	if n := len(l.Invalid); n > 0 {
		out = append(out, plural(n, "object")+" in the cluster would no longer be valid: "+list(l.Invalid, p.most, p.text))
	}
	for _, n := range l.Notes {
		out = append(out, p.text(n))
	}
	return out
}

// beyondDrift are the fields that are taken from others and that are not told as drift already.
func beyondDrift(l plan.Live) []plan.LiveField {
	return slices.DeleteFunc(slices.Clone(l.TakesFrom), func(f plan.LiveField) bool {
		return slices.ContainsFunc(l.Drift, func(d plan.LiveField) bool { return d.At == f.At && exact(d.After) == exact(f.After) })
	})
}

// explained says what an effect means that is not what the action says, and why it comes to that.
func (c change) explained(l plan.Live, p pen) string {
	why := explanations[l.Result]
	switch {
	case expected(c.Action, l.Result) && (!replaces(l) || l.Reason == ""), why == "":
		return ""
	case c.Action == plan.Delete && l.Result == plan.NoEffect:
		why = "it is gone already"
	}
	if l.Reason != "" {
		why += ": " + p.text(l.Reason)
	}
	return p.strong(word(l.Result)) + ": " + why
}

// howOften says how many of a change's applications or clusters an effect has: "on 2 of 40 clusters",
// and nothing where it is all of them.
func (c change) howOften(r plan.Result) string {
	if len(c.parts) > 1 {
		n, all := 0, 0
		for _, x := range c.parts {
			all += len(x.apps())
			if worst(x.answers) == r {
				n += len(x.apps())
			}
		}
		return fmt.Sprintf(" in %s of %s", number(n), plural(all, "application"))
	}
	n, all := 0, 0
	for _, a := range c.answers {
		all += len(a.Clusters)
		if known(a.Live.Result) == r {
			n += len(a.Clusters)
		}
	}
	if n == all {
		return ""
	}
	return fmt.Sprintf(" on %s of %s", number(n), plural(all, "cluster"))
}

// losses say what a change takes that a reader should check, with what goes too, for each member.
func (c change) losses(p pen) []string {
	var out []string
	for _, x := range c.parts {
		verb := string(c.Action) + "s"
		if anyLive(x.answers, replaces) && c.Action != plan.Delete {
			verb = "replaces"
		}
		also := x.cascade(p)
		if c.danger != losesState && also == "" && !anyLive(x.answers, replaces) {
			continue
		}
		for _, m := range x.members {
			out = append(out, fmt.Sprintf("%s %s in %s%s", verb, p.name(m.object.String()), p.name(m.app), also))
		}
	}
	return out
}

// cascade says what goes with the objects of a part: " with 12 Widget objects".
func (x part) cascade(p pen) string {
	var words []string
	for _, a := range x.answers {
		for _, g := range a.Live.Cascade {
			words = append(words, cascadeWords(g, p))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " with " + list(distinct(words, plain), p.most, plain)
}
