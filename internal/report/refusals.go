package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// refusal is why changes do not come about as planned: a cluster rejects them, or nobody can say.
type refusal struct {
	result   plan.Result // Rejected or Unknown
	reason   string
	silent   bool // the clusters did not answer at all
	ours     bool // it is the cluster's or our own fault, not the objects'
	clusters []string
	objects  []refused
	seen     map[string]bool
}

// refused is one changed object, and where its first known field is set.
type refused struct {
	member
	at *manifest.Location
}

// refusalsOf folds what has the same reason; a cluster that does not answer is one reason.
func refusalsOf(p plan.Plan) []refusal {
	silent := map[string]string{}
	for _, c := range p.Clusters {
		if c.Error != "" {
			silent[c.Name] = c.Error
		}
	}
	groups := newGroups[refusal]()
	for _, a := range p.Applications {
		for _, c := range a.Changes {
			for _, answer := range answersOf(a.Cluster, c.Live, c.Clusters) {
				addRefusal(groups, refused{member{a.Name, c.Object}, sourceOf(c)}, answer, silent)
			}
		}
		for _, d := range a.Drifted {
			for _, answer := range answersOf(a.Cluster, &d.Live, d.Clusters) {
				if known(answer.Live.Result) == plan.Unknown { // a refusal of what base has already does not block
					addRefusal(groups, refused{member{a.Name, d.Object}, nil}, answer, silent)
				}
			}
		}
	}
	all := groups.values()
	slices.SortStableFunc(all, func(a, b refusal) int {
		return cmp.Or(cmp.Compare(slices.Index(seriousness, a.result), slices.Index(seriousness, b.result)), cmp.Compare(len(b.objects), len(a.objects)))
	})
	return all
}

func addRefusal(groups *groups[refusal], object refused, answer plan.ClusterLive, silent map[string]string) {
	result := known(answer.Live.Result)
	if result != plan.Rejected && result != plan.Unknown {
		return
	}
	clusters := answer.Clusters
	if len(clusters) == 0 {
		clusters = []string{""}
	}
	for _, cluster := range clusters {
		reason, mute := cmp.Or(answer.Live.Reason, "no reason was given"), false
		if why, ok := silent[cluster]; ok && result == plan.Unknown {
			reason, mute = why, true
		}
		g := groups.get(fmt.Sprint(result, "\x00", mute, "\x00", reason), func() *refusal {
			return &refusal{result: result, reason: reason, silent: mute, ours: mute || answer.Live.Fault, seen: map[string]bool{}}
		})
		g.add(cluster, object)
	}
}

// add adds a cluster and an object, each once.
func (r *refusal) add(cluster string, object refused) {
	if key := "cluster\x00" + cluster; cluster != "" && !r.seen[key] {
		r.seen[key] = true
		r.clusters = append(r.clusters, cluster)
	}
	if key := "object\x00" + object.app + "\x00" + object.object.Key(); !r.seen[key] {
		r.seen[key] = true
		r.objects = append(r.objects, object)
	}
}

// sourceOf is where the first changed field of a change is set, as far as that is known.
func sourceOf(c plan.Change) *manifest.Location {
	for _, f := range c.Fields {
		if place(f.Source) != "" {
			return f.Source
		}
	}
	return nil
}

// label says who refuses what: "rejected by prod-eu", "cluster prod-eu did not answer".
func (r refusal) label(p pen) string {
	switch {
	case r.silent && len(r.clusters) == 1:
		return "cluster " + p.name(r.clusters[0]) + " did not answer"
	case r.silent:
		return plural(len(r.clusters), "cluster") + " did not answer (" + p.list(r.clusters) + ")"
	case len(r.clusters) == 0 && r.result == plan.Rejected:
		return "by the cluster"
	case r.result == plan.Rejected:
		return "by " + p.list(r.clusters)
	case len(r.clusters) == 0:
		return "in the cluster"
	default:
		return "on " + p.list(r.clusters)
	}
}

// names are the objects that it is about, each once.
func (r refusal) names() []string {
	return distinct(r.objects, func(o refused) string { return o.object.String() })
}

// apps are the applications that it is about, each once.
func (r refusal) apps() []string {
	return distinct(r.objects, func(o refused) string { return o.app })
}

// distinct are the texts of things, each once, in their order.
func distinct[T any](things []T, text func(T) string) []string {
	seen := map[string]bool{}
	var out []string
	for _, t := range things {
		if s := text(t); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// about names the objects and applications.
func (r refusal) about(p pen) string {
	out := p.list(r.names())
	if n := len(r.objects); n > maxAlike {
		out = plural(n, "object")
	}
	return out + " in " + p.list(r.apps())
}

// refusalItem is one refusal as an item of a list.
func refusalItem(r refusal, s scope) string {
	item := "- **" + string(r.result) + "** " + r.label(markdownPen) + ": " + sentence(r.reason, maxMessage) + "<br>"
	if at := s.where(r.objects[0].at); at != "" && r.result == plan.Rejected {
		item += at + " · "
	}
	return item + r.about(markdownPen) + "\n"
}

// maxRefusals is how many refusals of a kind are shown where much else is to be.
const maxRefusals = 5

// refusalItems lists what is rejected or not known. Where it is terse, it shows some of each kind and
// counts the others.
func (v view) refusalItems(s scope, terse bool) []item {
	var out []item
	for _, result := range []plan.Result{plan.Rejected, plan.Unknown} {
		var all []item
		for _, r := range v.refusals {
			if r.result == result {
				all = append(all, item{refusalItem(r, s), len(r.objects)})
			}
		}
		if left := len(all) - maxRefusals; terse && left > 1 {
			more := things(all[maxRefusals:])
			all = append(all[:maxRefusals], item{fmt.Sprintf("- **%s** %s more: %s\n", result, number(more), s.whole()), more})
		}
		out = append(out, all...)
	}
	return out
}

// explains says whether a reason of the verdict is one that a refusal shows.
func (r refusal) explains(reason string) bool {
	if !strings.HasPrefix(reason, "cluster") {
		return false
	}
	return strings.Contains(reason, r.reason) || strings.Contains(reason, oneLine(r.reason)) ||
		slices.ContainsFunc(r.objects, func(o refused) bool { return strings.Contains(reason, o.object.String()+" of "+o.app) })
}

// clearers say who can clear what is rejected or not known.
func (v view) clearers(p pen) []string {
	var rejected, ours, theirs []string
	for _, r := range v.refusals {
		switch {
		case r.result == plan.Rejected:
			rejected = append(rejected, r.clusters...)
		case r.ours:
			ours = append(ours, r.clusters...)
		default:
			theirs = append(theirs, r.clusters...)
		}
	}
	var out []string
	has := func(is func(refusal) bool) bool { return slices.ContainsFunc(v.refusals, is) }
	if has(func(r refusal) bool { return r.result == plan.Rejected }) {
		out = append(out, "for what is rejected the author, by changing this pull request, or whoever runs admission on "+clusterNames(rejected, p))
	}
	if has(func(r refusal) bool { return r.result == plan.Unknown && r.ours }) {
		out = append(out, "for what is unknown whoever runs "+clusterNames(ours, p))
	}
	if has(func(r refusal) bool { return r.result == plan.Unknown && !r.ours }) {
		out = append(out, "for what cannot be predicted the author, or whoever runs "+clusterNames(theirs, p))
	}
	return out
}

// clusterNames names clusters, each once, and many only by their number.
func clusterNames(clusters []string, p pen) string {
	names := distinct(clusters, plain)
	switch {
	case len(names) == 0:
		return "the cluster"
	case len(names) > p.most:
		return plural(len(names), "cluster")
	default:
		return p.list(names)
	}
}
