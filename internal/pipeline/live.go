package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/policy"
)

// told is what one cluster says of one object.
type told struct {
	cluster string
	live.Answer
}

// answered is one cluster with everything that it was asked.
type answered struct {
	name       string
	rows       []live.Row
	whose      []asker // for each row
	prediction *live.Prediction
	cluster    plan.Cluster
}

// asker is the pair of an application for which a cluster was asked.
type asker struct {
	work *work
	pair int
}

// mayAsk says whether clusters are asked for a change: a fork's author could have them say what is live
// by a pull request.
func (e *Engine) mayAsk(c Change) bool { return e.Clusters != nil && (c.Pull == nil || !c.Pull.Fork) }

// liveNotes say that what is live was not looked at, where that could be expected.
func (e *Engine) liveNotes(c Change) []string {
	if e.Clusters == nil || e.mayAsk(c) {
		return nil
	}
	return []string{"This pull request comes from a fork, so no cluster was asked what it would do."}
}

// predict asks the clusters of all applications, each once for everything, all at the same time.
func (e *Engine) predict(ctx context.Context, c Change, list []*work) []*answered {
	if !e.mayAsk(c) {
		return nil
	}
	byName := map[string]*answered{}
	for _, w := range list {
		if len(w.pairs) == 0 {
			continue // nothing to ask
		}
		w.answers = make([][]told, len(w.pairs))
		for _, name := range e.clustersOf(w) {
			a := byName[name]
			if a == nil {
				a = &answered{name: name, cluster: plan.Cluster{Name: name}}
				byName[name] = a
			}
			for i, p := range w.pairs {
				a.rows, a.whose = append(a.rows, p), append(a.whose, asker{w, i})
			}
		}
	}
	var all []*answered
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, byName[name])
	}
	var group sync.WaitGroup
	for _, a := range all {
		group.Go(func() { a.ask(ctx, e) })
	}
	group.Wait()
	return all
}

// clustersOf are the clusters that an application is on, by the names under which they are asked.
func (e *Engine) clustersOf(w *work) []string {
	var names []string
	for _, name := range append(slices.Clone(w.Clusters), w.Cluster) {
		if name == "" && len(w.Clusters) > 0 {
			continue
		}
		if resolved := e.Clusters.Resolve(name); !slices.Contains(names, resolved) {
			names = append(names, resolved)
		}
	}
	return names
}

func (a *answered) ask(ctx context.Context, e *Engine) {
	api, err := e.Clusters.Open(a.name)
	if err != nil {
		a.prediction = live.Silent(a.rows, err)
		return
	}
	a.prediction = live.Predict(ctx, api, a.rows, live.Options{Name: a.name, Cache: e.Answers})
}

// tell hands the masked answers to those who asked.
func (a *answered) tell(m *diff.Masker) {
	answers := a.prediction.Results(m)
	sum := sha256.New()
	for i, answer := range answers {
		who := a.whose[i]
		who.work.answers[who.pair] = append(who.work.answers[who.pair], told{a.name, answer})
		text, err := json.Marshal(answer.Live)
		if err != nil { // a document of plain values
			text = []byte(err.Error())
		}
		sum.Write(text) // never fails
	}
	a.cluster.Version, a.cluster.Error = a.prediction.Version(), a.prediction.Err(m)
	a.cluster.Fingerprint = "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

func clusters(asked []*answered) []plan.Cluster {
	var all []plan.Cluster
	for _, a := range asked {
		all = append(all, a.cluster)
	}
	return all
}

// answer is what the clusters say of a pair: the most serious answer and, of an application on several
// clusters, all of them, equal ones together.
func (w *work) answer(pair int) (*plan.Live, []plan.ClusterLive) {
	if pair >= len(w.answers) || len(w.answers[pair]) == 0 {
		return nil, nil
	}
	said := w.answers[pair]
	if len(said) == 1 {
		return &said[0].Live, nil
	}
	var groups []plan.ClusterLive
	for _, t := range said {
		at := slices.IndexFunc(groups, func(g plan.ClusterLive) bool { return reflect.DeepEqual(withoutTimes(g.Live), withoutTimes(t.Live)) })
		if at < 0 {
			at = len(groups)
			groups = append(groups, plan.ClusterLive{Live: t.Live})
		}
		groups[at].Clusters = append(groups[at].Clusters, t.cluster)
	}
	slices.SortStableFunc(groups, func(a, b plan.ClusterLive) int {
		return cmp.Or(len(b.Clusters)-len(a.Clusters), strings.Compare(a.Clusters[0], b.Clusters[0]))
	})
	worst := slices.MinFunc(groups, func(a, b plan.ClusterLive) int { return rank(a.Live) - rank(b.Live) })
	return &worst.Live, groups
}

// observed keeps what the clusters say of a changed object, for policies: of several clusters the most
// serious answer.
func (w *work) observed(pair int, c plan.Change) {
	if c.Live == nil {
		return
	}
	worst := slices.MinFunc(w.answers[pair], func(a, b told) int { return rank(a.Live) - rank(b.Live) })
	if w.live == nil {
		w.live = map[string]policy.Live{}
	}
	w.live[c.Object.Key()] = policy.Live{Result: worst.Result, Before: worst.Before, After: worst.After}
}

// withoutTimes is an answer without when managers set fields: it is equal on clusters where everything
// else is.
func withoutTimes(l plan.Live) plan.Live {
	for _, list := range []*[]plan.LiveField{&l.Drift, &l.TakesFrom, &l.Keeps} {
		*list = slices.Clone(*list)
		for i := range *list {
			owners := slices.Clone((*list)[i].Owners)
			for j := range owners {
				owners[j].Time = ""
			}
			(*list)[i].Owners = owners
		}
	}
	return l
}

// rank orders answers, the most serious first.
func rank(l plan.Live) int {
	order := []plan.Result{plan.Rejected, plan.Unknown, plan.WillReplace, plan.WillDelete, plan.WillAdopt, plan.WillUpdate, plan.WillCreate, plan.NoEffect}
	if at := slices.Index(order, l.Result); at >= 0 {
		return at
	}
	return -1 // what is not known here is as serious as anything
}

// drifted is an object that the change leaves alone, where the merge would do something to it all the same.
func (w *work) drifted(pair int) (plan.Drifted, bool) {
	l, groups := w.answer(pair)
	if l == nil || l.Result == plan.NoEffect && len(l.Drift) == 0 && !slices.ContainsFunc(groups, func(g plan.ClusterLive) bool { return g.Live.Result != plan.NoEffect }) {
		return plan.Drifted{}, false
	}
	return plan.Drifted{Object: diff.Identity(*w.pairs[pair].Head), Live: *l, Clusters: groups}, true
}
