package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// drift is what is different in the cluster already, of one or more objects alike. The change itself is
// no part of it.
type drift struct {
	live     plan.Live // of the first object
	fields   []plan.LiveField
	members  []member
	clusters []string // of applications on several
	changed  bool     // the change touches the objects too
}

// driftsOf folds the objects whose fields differ alike, whoever changed them last.
func driftsOf(p plan.Plan) []drift {
	groups := newGroups[drift]()
	for _, a := range p.Applications {
		for _, c := range a.Changes {
			for _, answer := range answersOf("", c.Live, c.Clusters) {
				if len(answer.Live.Drift) > 0 {
					addDrift(groups, member{a.Name, c.Object}, answer, true)
				}
			}
		}
		for _, d := range a.Drifted {
			for _, answer := range answersOf("", &d.Live, d.Clusters) {
				if known(answer.Live.Result) != plan.Unknown { // what is not known blocks, and stands there
					addDrift(groups, member{a.Name, d.Object}, answer, false)
				}
			}
		}
	}
	return groups.values()
}

func addDrift(groups *groups[drift], m member, answer plan.ClusterLive, changed bool) {
	l := answer.Live
	key := []string{m.object.Group, m.object.Kind, strings.Join(answer.Clusters, "\x01"), fmt.Sprint(changed)}
	if !changed {
		key = append(key, string(l.Result), l.Reason, fmt.Sprint(l.Restarts), strings.Join(l.Notes, "\x01"))
	}
	for _, f := range l.Drift {
		key = append(key, fieldAt(f.Field), exact(f.Before), exact(f.After), ownersKey(f.Owners))
	}
	g := groups.get(strings.Join(key, "\x00"), func() *drift {
		return &drift{live: l, fields: append([]plan.LiveField{}, l.Drift...), clusters: answer.Clusters, changed: changed}
	})
	g.members = append(g.members, m)
	for i, f := range l.Drift {
		g.fields[i].Owners = newest(g.fields[i].Owners, f.Owners)
	}
}

// newest are the same owners with the later times of both.
func newest(a, b []plan.Owner) []plan.Owner {
	out := append([]plan.Owner{}, a...)
	for i := range out {
		out[i].Time = max(out[i].Time, b[i].Time)
	}
	return out
}

// object names the objects and where they are.
func (d drift) object(p pen) (objects, where string) {
	names := distinct(d.members, func(m member) string { return kindName(m.object) })
	where = "in " + p.list(distinct(d.members, func(m member) string { return m.app }))
	if len(d.clusters) > 0 {
		where += " on " + clusterNames(d.clusters, p)
	}
	return p.list(names), where
}

// remarks say what else is to know of the revert. Of an object that the change touches, its own block
// says it.
func (d drift) remarks(p pen) []string {
	if d.changed {
		return []string{"also changed by this pull request"}
	}
	var out []string
	switch r := known(d.live.Result); r {
	case plan.WillUpdate, plan.NoEffect, plan.WillCreate:
	default:
		why := p.strong(word(r))
		if d.live.Reason != "" {
			why += ": " + p.text(d.live.Reason)
		}
		out = append(out, why)
	}
	if d.live.Restarts {
		out = append(out, "pods restart with the revert")
	}
	for _, n := range d.live.Notes {
		out = append(out, p.text(n))
	}
	return out
}

// unrecorded is who changed what no manager claims.
const unrecorded = "not recorded"

// driftRow is one field of a drift, written.
type driftRow struct{ at, live, base, by string }

// transition says what a field is and becomes.
func (r driftRow) transition() string {
	if r.base == "" {
		return r.live
	}
	return r.live + " → " + r.base
}

// rows are the fields with their values, at most so many of them.
func (d drift) rows(p pen, most int) []driftRow {
	var out []driftRow
	for i, f := range d.fields {
		if i == most {
			return append(out, driftRow{"and " + plural(len(d.fields)-i, "more field"), "", "", ""})
		}
		var by []string
		for _, o := range f.Owners {
			by = append(by, ownerDetail(o, p, len(d.members) > 1))
		}
		out = append(out, driftRow{p.name(fieldAt(f.Field)), shownValue(f.Before, p), shownValue(f.After, p), cmp.Or(strings.Join(by, "; "), unrecorded)})
	}
	switch {
	case len(out) > 0:
	case d.live.Result == plan.WillCreate:
		out = append(out, driftRow{"the object", "not there", "created again", unrecorded})
	default:
		out = append(out, driftRow{"the object", "as base has it, it is refused", "", ""})
	}
	return out
}

// How much of the drift a comment shows.
const (
	maxDrifts      = 10
	maxDriftFields = 6 // of one object
)

// driftHeading names the section. It never mixes with what the pull request does.
const driftHeading = "Already different in the cluster, this merge would revert it"

// addDrift lists what the merge would revert besides what the change does.
func (v view) addDrift(d *document, s scope) {
	if len(v.drifts) == 0 {
		return
	}
	most := everything
	if d.terse {
		most = maxDriftFields
	}
	var items []item
	for _, x := range v.drifts {
		items = append(items, item{x.tableRows(most), len(x.members)})
	}
	inner := d.inner()
	inner.add("| Object | In the cluster → after the merge | Changed by |\n|---|---|---|\n")
	left := inner.addAll(items, d.most(items, maxDrifts), 250)
	d.add("**" + driftHeading + "**\n\n" + inner.String())
	if len(left) > 0 {
		d.add(fmt.Sprintf("\n%s not in this table: %s.\n", plural(things(left), "more object is", "more objects are"), s.whole()))
	}
	d.add("\n")
}

// tableRows is a drift as rows of a table; the first one names the objects.
func (d drift) tableRows(most int) string {
	objects, where := d.object(tablePen)
	label := strings.Join(append([]string{objects + "<br>" + where}, d.remarks(tablePen)...), "<br>")
	var b strings.Builder
	for _, r := range d.rows(tablePen, most) {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", label, strings.TrimSuffix(r.at+"<br>"+r.transition(), "<br>"), r.by)
		label = ""
	}
	return b.String()
}
