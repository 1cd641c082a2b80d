package verdict

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// live weighs what clusters say. What a cluster refuses fails the plan. What is not known is an error.
// Both hold for what the change touches; of an object that it leaves alone a refusal is as old as base
// and does not fail it, as an old finding does not.
func (d *decision) live(a plan.Application) {
	for _, c := range a.Changes {
		if c.Live == nil {
			continue
		}
		d.answer(where{a, c.Object}, *c.Live, c.Clusters)
		d.restarts(*c.Live)
		if len(c.Live.Drift) > 0 || slices.ContainsFunc(c.Clusters, func(l plan.ClusterLive) bool { return len(l.Live.Drift) > 0 }) {
			d.summary.Drifted++
		}
	}
	for _, o := range a.Drifted {
		at := where{a, o.Object}
		if o.Live.Result == plan.Rejected {
			continue
		}
		if known(o.Live.Result) && o.Live.Result != plan.Unknown {
			d.summary.Drifted++
			d.restarts(o.Live)
			continue
		}
		d.answer(at, o.Live, o.Clusters)
	}
}

func (d *decision) restarts(l plan.Live) {
	if l.Restarts {
		d.summary.Restarts++
	}
}

// where is an object of an application.
type where struct {
	application plan.Application
	object      manifest.ID
}

func (w where) String() string {
	return w.object.String() + " of " + w.application.Name
}

// answer weighs what is said of one object: all that its clusters say, where there are several.
func (d *decision) answer(w where, l plan.Live, clusters []plan.ClusterLive) {
	if len(clusters) == 0 {
		clusters = []plan.ClusterLive{{Clusters: []string{cmp.Or(d.onlyCluster, w.application.Cluster)}, Live: l}}
	}
	refused, unknown := false, false
	for _, c := range clusters {
		on := cluster(c.Clusters)
		switch {
		case c.Live.Result == plan.Rejected:
			refused = true
			d.refusals = append(d.refusals, oneLine(on+" would refuse "+w.String()+": "+c.Live.Reason))
		case c.Live.Result == plan.Unknown:
			unknown = true
			d.unknowns = append(d.unknowns, oneLine(on+": what it would do to "+w.String()+" is not known: "+c.Live.Reason))
		case !known(c.Live.Result):
			unknown = true
			d.fault(on + ": what it would do to " + w.String() + " is told by the unknown word " + quote(string(c.Live.Result)))
		}
	}
	if refused {
		d.summary.Rejected++
	}
	if unknown {
		d.summary.Unknown++
	}
}

func cluster(names []string) string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "" })
	switch len(names) {
	case 0:
		return "cluster"
	case 1:
		return "cluster " + names[0]
	}
	return "clusters " + strings.Join(names, ", ")
}

func known(r plan.Result) bool {
	switch r {
	case plan.WillCreate, plan.WillUpdate, plan.WillReplace, plan.WillDelete, plan.WillAdopt, plan.NoEffect, plan.Rejected, plan.Unknown:
		return true
	}
	return false
}
