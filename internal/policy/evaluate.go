package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// task is one input with the policies that look at it.
type task struct {
	scope    scope
	policies []*policy
	input    lazyTerm
	object   *manifest.Object // what findings are about, nil for the application as a whole
	identity string           // of object
	side     *side            // where objects that a result names are looked up
}

// hit is a finding with the rule that it came from.
type hit struct {
	policy  *policy
	rule    *rule // nil for an error of the policy as a whole
	finding plan.Finding
	overran bool
}

// Evaluate says what the policies find in the proposed state of an application and in its changes.
// Findings that base has too are there, and not new. Errors of policies are findings, always new. The
// result is sorted and depends on the input alone.
func (e *Engine) Evaluate(ctx context.Context, in Input) []plan.Finding {
	findings, err := e.evaluate(ctx, in)
	if err != nil {
		findings = append(findings, plan.Finding{
			Policy: "policies", Severity: plan.SeverityError, New: true,
			Message: "not evaluated: " + err.Error(), Fingerprint: fingerprint("error", in.Application.Name, "policies"),
		})
	}
	slices.SortStableFunc(findings, compareFindings)
	return findings
}

func compareFindings(a, b plan.Finding) int {
	return cmp.Or(
		compareObjects(a.Object, b.Object),
		strings.Compare(a.Policy, b.Policy),
		strings.Compare(string(a.Severity), string(b.Severity)),
		strings.Compare(a.Field, b.Field),
		strings.Compare(a.Message, b.Message),
		strings.Compare(a.Fingerprint, b.Fingerprint),
	)
}

// compareObjects sorts findings about the whole application first.
func compareObjects(a, b *manifest.ID) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(*b)
}

func (e *Engine) evaluate(ctx context.Context, in Input) ([]plan.Finding, error) {
	store, err := e.newStore(in)
	if err != nil {
		return nil, err
	}
	head, base := newSide(in.Head, in.Application.Path), newSide(in.Base, in.Application.Path)
	tasks := e.headTasks(in, head, base)
	proposed := &stage{engine: e, application: in.Application.Name, store: store, tasks: tasks}
	hits, err := proposed.run(ctx)
	if err != nil {
		return nil, err
	}
	old, known := e.baseTasks(in, tasks, hits, head, base)
	for i := range old { // what was too slow once is not tried again
		old[i].policies = proposed.without(old[i].policies, len(tasks))
	}
	before := &stage{engine: e, application: in.Application.Name, store: store, tasks: old}
	beforeHits, err := before.run(ctx)
	if err != nil {
		return nil, err
	}
	return markNew(tasks, hits, append(known, beforeHits...)), nil
}

// headTasks are all evaluations of the proposed state and of the changes.
func (e *Engine) headTasks(in Input, head, base *side) []task {
	tasks := e.objectTasks(head, allIndices(head))
	for i, c := range in.Changes {
		if policies := e.selectFor(scopeChange, []manifest.ID{c.Object}); len(policies) > 0 {
			tasks = append(tasks, changeTask(in, i, policies, head, base))
		}
	}
	return append(tasks, e.wholeTasks(in, head, base)...)
}

func allIndices(s *side) []int {
	indices := make([]int, len(s.set))
	for i := range indices {
		indices[i] = i
	}
	return indices
}

func (e *Engine) objectTasks(s *side, indices []int) []task {
	var tasks []task
	for _, i := range indices {
		o := &s.set[i]
		if policies := e.selectFor(scopeObject, []manifest.ID{o.ID}); len(policies) > 0 {
			tasks = append(tasks, task{
				scope: scopeObject, policies: policies, input: s.terms[i], object: o, identity: identity(*o), side: s,
			})
		}
	}
	return tasks
}

func changeTask(in Input, i int, policies []*policy, head, base *side) task {
	c := in.Changes[i]
	t := task{scope: scopeChange, policies: policies, input: changeInput(in, c, head, base), side: head}
	if c.Action == plan.Delete {
		t.side = base
	}
	t.object = t.side.find(c.Object.Key())
	if t.object == nil { // a change of something that neither set has: still about that object
		t.object = &manifest.Object{ID: c.Object}
	}
	t.identity = identity(*t.object)
	return t
}

// wholeTasks are the evaluations of a whole side: s against base.
func (e *Engine) wholeTasks(in Input, s, base *side) []task {
	ids := make([]manifest.ID, 0, len(in.Head)+len(in.Base))
	for _, o := range slices.Concat(in.Head, in.Base) {
		ids = append(ids, o.ID)
	}
	var tasks []task
	if policies := e.selectFor(scopeApplication, ids); len(policies) > 0 {
		tasks = append(tasks, task{
			scope: scopeApplication, policies: policies, input: applicationInput(in.Application, s, base), side: s,
		})
	}
	if policies := e.selectFor(scopeCombine, ids); len(policies) > 0 {
		tasks = append(tasks, task{scope: scopeCombine, policies: policies, input: s.combined, side: s})
	}
	return tasks
}

// selectFor are the policies of a scope that look at one of these objects.
func (e *Engine) selectFor(s scope, ids []manifest.ID) []*policy {
	var selected []*policy
	for _, p := range e.policies {
		if p.scope == s && (len(p.kinds) == 0 || slices.ContainsFunc(ids, p.kinds.match)) {
			selected = append(selected, p)
		}
	}
	return selected
}

// baseTasks are the evaluations of base that can make a finding of the proposed state an old one. For
// objects that did not change, what was found in the proposed state is already known.
func (e *Engine) baseTasks(in Input, tasks []task, hits [][]hit, head, base *side) ([]task, [][]hit) {
	var known [][]hit
	var indices []int
	whole := false
	same := map[int]bool{}
	wanted := map[string]bool{}
	for i, t := range tasks {
		if !slices.ContainsFunc(hits[i], func(h hit) bool { return h.finding.Severity != plan.SeverityError }) {
			continue
		}
		whole = whole || t.object == nil
		if t.scope != scopeObject || wanted[t.identity] {
			continue
		}
		wanted[t.identity] = true
		indices = append(indices, base.byIdentity[t.identity]...)
	}
	for i, t := range tasks {
		if t.scope != scopeObject || !wanted[t.identity] {
			continue
		}
		if b, ok := unchangedIn(base, same, t); ok {
			same[b] = true
			known = append(known, hits[i])
		}
	}
	indices = slices.DeleteFunc(indices, func(i int) bool { return same[i] })
	old := e.objectTasks(base, indices)
	if whole {
		old = append(old, e.wholeTasks(in, base, base)...)
	}
	return old, known
}

// unchangedIn finds an object of base that is the task's object, each only once.
func unchangedIn(base *side, taken map[int]bool, t task) (int, bool) {
	for _, i := range base.byIdentity[t.identity] {
		if !taken[i] && base.set[i].ID == t.object.ID && reflect.DeepEqual(base.set[i].Content, t.object.Content) {
			return i, true
		}
	}
	return 0, false
}

// markNew gives the findings; those that base has too, as often as base has them, are not new.
func markNew(tasks []task, hits, before [][]hit) []plan.Finding {
	old := map[string]int{}
	for _, list := range before {
		for _, h := range list {
			if h.finding.Severity != plan.SeverityError && h.finding.WaivedBy == "" {
				old[h.finding.Fingerprint]++
			}
		}
	}
	var findings []plan.Finding
	for i, list := range hits {
		for _, h := range list {
			f := h.finding
			f.New = true
			comparable := f.Severity != plan.SeverityError && tasks[i].scope != scopeChange
			if comparable && old[f.Fingerprint] > 0 {
				old[f.Fingerprint]--
				f.New = false
			}
			findings = append(findings, f)
		}
	}
	return findings
}

// stage evaluates tasks side by side and remembers which policies overran.
type stage struct {
	engine      *Engine
	application string
	store       *dataStore
	tasks       []task
	mu          sync.Mutex
	overran     map[*policy]int // the first task that it was too slow for
}

func (s *stage) run(ctx context.Context) ([][]hit, error) {
	hits := make([][]hit, len(s.tasks))
	s.overran = map[*policy]int{}
	group, groupCtx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(s.engine.options.Workers, len(s.tasks)) { // few goroutines, whose stacks have grown once
		group.Go(func() error {
			for i := int(next.Add(1)) - 1; i < len(s.tasks); i = int(next.Add(1)) - 1 {
				var err error
				if hits[i], err = s.evaluate(groupCtx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s.settle(hits)
	return hits, nil
}

// evaluate evaluates one task: all policies at once, or one by one where that fails, so that an error
// is that of one policy.
func (s *stage) evaluate(ctx context.Context, i int) ([]hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := &s.tasks[i]
	active := s.active(i)
	if len(active) == len(t.policies) && len(active) > 1 {
		answers, clean, err := s.ask(ctx, t, active)
		if err == nil && clean == nil {
			return dropPassedOn(s.collect(t, answers)), nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	var hits []hit
	for _, p := range active {
		found, err := s.evaluateAlone(ctx, i, p)
		if err != nil {
			return nil, err
		}
		hits = append(hits, found...)
	}
	return dropPassedOn(hits), nil
}

// evaluateAlone evaluates one policy. Its error is a finding; the error returned is the caller's own end.
func (s *stage) evaluateAlone(ctx context.Context, i int, p *policy) ([]hit, error) {
	t := &s.tasks[i]
	answers, refused, err := s.ask(ctx, t, []*policy{p})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errOverrun):
		s.noteOverrun(p, i)
		h := s.failure(t, p, nil, "took longer than "+s.engine.options.Timeout.String(), nil)
		h.overran = true
		return []hit{h}, nil
	case err != nil:
		return []hit{s.evaluationError(t, p, err)}, nil
	}
	hits := s.collect(t, answers)
	if refused != nil {
		hits = append(hits, s.builtinErrors(t, p, refused))
	}
	return hits, nil
}

func (s *stage) noteOverrun(p *policy, i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, before := s.overran[p]; !before || i < first {
		s.overran[p] = i
	}
}

// active are the policies that no earlier task found too slow: one that loops costs its timeout once,
// not once for every object.
func (s *stage) active(i int) []*policy {
	return s.without(s.tasks[i].policies, i)
}

// without are the policies but those that overran before task i.
func (s *stage) without(policies []*policy, i int) []*policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.overran) == 0 {
		return policies
	}
	return slices.DeleteFunc(slices.Clone(policies), func(p *policy) bool {
		first, overran := s.overran[p]
		return overran && first < i
	})
}

// settle makes the result independent of which tasks ran at the same time: after its first overrun, in
// the order of tasks, a policy has said nothing.
func (s *stage) settle(hits [][]hit) {
	for p, first := range s.overran {
		left := 0
		for i := first + 1; i < len(s.tasks); i++ {
			hits[i] = slices.DeleteFunc(hits[i], func(h hit) bool { return h.policy == p })
			if slices.Contains(s.tasks[i].policies, p) {
				left++
			}
		}
		if left == 0 {
			continue
		}
		for j := range hits[first] {
			if h := &hits[first][j]; h.policy == p && h.overran {
				h.finding.Message += fmt.Sprintf("; not evaluated for %d more", left)
			}
		}
	}
}
