package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/mergegate/mergegate/internal/application"
	"github.com/mergegate/mergegate/internal/config"
	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/policy"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/render"
)

// work is one application on its way through the stages.
type work struct {
	application.Application
	affectedBy []string
	base, head side
	pairs      []diff.Pair // which object of base is which of head; of the masked ones, once they are masked
	answers    [][]told    // for each pair, what each cluster says
	live       map[string]policy.Live
}

// side is an application at one of the two trees.
type side struct {
	app     *application.Application // nil: there is none
	objects manifest.Set
	skipped []string
	err     error // why it does not render, for people
}

// worklist is what to plan, sorted by name, and how many applications there are at head.
type worklist struct {
	work      []*work
	total     int
	unmatched []string // configured paths that no directory at head matches
}

// affected finds the applications of both trees and picks those that the change affects.
func affected(ctx context.Context, t trees, cfg config.Repository, o Options) (worklist, error) {
	base, err := application.Discover(ctx, t.base, cfg)
	if err != nil {
		return worklist{}, input("find applications at base: %w", err)
	}
	head, err := application.Discover(ctx, t.head, cfg)
	if err != nil {
		return worklist{}, input("find applications at head: %w", err)
	}
	effects, err := application.Affected(ctx, base, head)
	if ctx.Err() != nil {
		return worklist{}, err
	}
	if err != nil {
		return worklist{}, input("%w", err)
	}
	if o.All {
		effects = all(base, head, effects)
	}
	list := worklist{total: len(head.Applications), unmatched: head.Unmatched}
	for _, c := range effects {
		w := &work{Application: c.Application(), affectedBy: c.By, base: side{app: c.Base}, head: side{app: c.Head}}
		if wanted(w, o.Applications) {
			list.work = append(list.work, w)
		}
	}
	return list, known(base, head, o.Applications)
}

// all adds the applications that the change does not affect, which are the same on both sides.
func all(base, head *application.Catalog, effects []application.Effect) []application.Effect {
	has := map[string]bool{}
	for _, e := range effects {
		has[e.Application().Name] = true
	}
	at := map[string]*application.Application{}
	for i := range base.Applications {
		at[base.Applications[i].Name] = &base.Applications[i]
	}
	for i := range head.Applications {
		if a := &head.Applications[i]; !has[a.Name] {
			effects = append(effects, application.Effect{Base: at[a.Name], Head: a})
		}
	}
	slices.SortFunc(effects, func(a, b application.Effect) int { return strings.Compare(a.Application().Name, b.Application().Name) })
	return effects
}

func wanted(w *work, only []string) bool {
	return len(only) == 0 || slices.Contains(only, w.Name) || slices.Contains(only, w.Path)
}

// known makes sure that the applications that were asked for exist.
func known(base, head *application.Catalog, only []string) error {
	for _, name := range only {
		is := func(a application.Application) bool { return a.Name == name || a.Path == name }
		if !slices.ContainsFunc(head.Applications, is) && !slices.ContainsFunc(base.Applications, is) {
			return input("no application has the name or path %q", name)
		}
	}
	return nil
}

// each runs fn for every application, several at a time. Results go by index.
func (e *Engine) each(ctx context.Context, list []*work, fn func(context.Context, int, *work) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cmp.Or(e.Workers, runtime.NumCPU()))
	for i, w := range list {
		group.Go(func() error { return fn(ctx, i, w) })
	}
	return group.Wait()
}

// render renders both sides of every application. An application that does not render keeps the
// reason; the others go on.
func (e *Engine) render(ctx context.Context, t trees, list []*work) error {
	return e.each(ctx, list, func(ctx context.Context, _ int, w *work) error {
		return errors.Join(e.renderSide(ctx, t.base, &w.base), e.renderSide(ctx, t.head, &w.head))
	})
}

func (e *Engine) renderSide(ctx context.Context, tree render.Tree, s *side) error {
	if s.app == nil {
		return nil
	}
	if s.app.Type == application.Helm {
		s.err = fmt.Errorf("%s: Helm charts are not rendered yet: exclude the directory in %s to plan the rest", s.app.Path, ConfigFile)
		return nil
	}
	result, err := e.Renderer.Render(ctx, request(tree, s.app))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.objects, s.skipped, s.err = result.Objects, result.Skipped, err
	return nil
}

func request(tree render.Tree, a *application.Application) render.Request {
	return render.Request{Tree: tree, Path: a.Path, Type: a.Type, Files: a.Files}
}

// pair says which object of base is which of the proposed state, before masks change their names.
// Where base does not render there is nothing to pair with.
func pair(list []*work) {
	for _, w := range list {
		for _, s := range []*side{&w.base, &w.head} {
			for i := range s.objects {
				s.objects[i].Index = i
			}
		}
		if w.head.err == nil {
			w.pairs = diff.Pairs(w.base.objects, w.head.objects)
		}
	}
}

// mask takes the secrets out of all objects, answers and errors. Nothing after it sees one.
func mask(m *diff.Masker, list []*work, asked []*answered) {
	for _, w := range list {
		m.Learn(w.base.objects, w.head.objects)
	}
	for _, a := range asked {
		a.prediction.Learn(m)
	}
	for _, w := range list {
		for _, s := range []*side{&w.base, &w.head} {
			s.objects = m.Set(s.objects)
			if s.err != nil {
				s.err = &masked{text: m.Text(s.err.Error()), err: s.err}
			}
		}
		w.pairs = maskedPairs(w)
	}
	for _, a := range asked {
		a.tell(m)
	}
}

// maskedPairs are the pairs of an application with its masked objects.
func maskedPairs(w *work) []diff.Pair {
	at := func(set manifest.Set) []*manifest.Object {
		places := make([]*manifest.Object, len(set))
		for i := range set {
			places[set[i].Index] = &set[i]
		}
		return places
	}
	base, head := at(w.base.objects), at(w.head.objects)
	pairs := make([]diff.Pair, len(w.pairs))
	for i, p := range w.pairs {
		if p.Base != nil {
			pairs[i].Base = base[p.Base.Index]
		}
		if p.Head != nil {
			pairs[i].Head = head[p.Head.Index]
		}
	}
	return pairs
}

// masked is an error whose text is fit to be shown.
type masked struct {
	text string
	err  error
}

func (e *masked) Error() string { return e.text }
func (e *masked) Unwrap() error { return e.err }

// compare says what the change does to an application.
func compare(w *work) plan.Application {
	a := plan.Application{
		Name: w.Name, Path: w.Path, Environment: w.Environment, Cluster: w.Cluster, Clusters: w.Clusters, Type: w.Type,
		AffectedBy: w.affectedBy, Changes: []plan.Change{}, Findings: []plan.Finding{},
	}
	if w.head.err != nil {
		a.Status, a.Error, a.ErrorLocation = plan.StatusError, w.head.err.Error(), place(w.head.err)
		return a
	}
	if len(w.head.skipped) > 0 {
		a.Notes = append(a.Notes, "not a Kubernetes object, left out: "+strings.Join(w.head.skipped, ", "))
	}
	base := w.base.objects
	if w.base.err != nil {
		base = nil
		a.Notes = append(a.Notes, "base does not render, so every object is shown as new: "+w.base.err.Error())
	}
	a.Objects = &plan.Objects{Base: len(base), Head: len(w.head.objects)}
	for i, p := range w.pairs {
		if change, differs := p.Change(); differs {
			change.Live, change.Clusters = w.answer(i)
			a.Changes = append(a.Changes, change)
			w.observed(i, change)
		} else if drifted, is := w.drifted(i); is {
			a.Drifted = append(a.Drifted, drifted)
		}
	}
	slices.SortStableFunc(a.Changes, func(a, b plan.Change) int { return a.Object.Compare(b.Object) })
	a.Status = status(w, a.Changes)
	return a
}

func status(w *work, changes []plan.Change) plan.Status {
	switch {
	case w.head.app == nil:
		return plan.Removed
	case w.base.app == nil:
		return plan.Added
	case len(changes) > 0 || w.base.err != nil:
		return plan.Changed
	}
	return plan.Unchanged
}

// place is where an error says it comes from.
func place(err error) *manifest.Location {
	var failed *render.Error
	if !errors.As(err, &failed) || failed.File == "" {
		return nil
	}
	return &manifest.Location{File: failed.File, Line: max(failed.Line, 1)}
}

func policyInput(w *work, a plan.Application, request *pull.Request) policy.Input {
	in := policy.Input{
		Application: policy.Application{Name: a.Name, Path: a.Path, Environment: a.Environment, Cluster: a.Cluster},
		Head:        w.head.objects, Changes: a.Changes, Live: w.live, Pull: request,
	}
	if w.base.err == nil {
		in.Base = w.base.objects
	}
	return in
}

// locate finds the source lines of the fields that changed and of the findings.
func (e *Engine) locate(ctx context.Context, t trees, w *work, a *plan.Application) error {
	questions := ask(w, a)
	if w.head.app == nil || a.Status == plan.StatusError || len(questions) == 0 {
		return nil
	}
	queries := make([]render.Query, len(questions))
	for i, q := range questions {
		queries[i] = q.query
	}
	found, err := e.Renderer.Locate(ctx, request(t.head, w.head.app), queries)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		a.Notes = append(a.Notes, "source lines are not known: "+err.Error())
	default:
		for i, q := range questions {
			*q.answer = found[i]
		}
	}
	return nil
}

// question asks for one source line.
type question struct {
	query  render.Query
	answer **manifest.Location
}

// ask collects the questions about an application: what changed, and what was found in objects.
func ask(w *work, a *plan.Application) []question {
	objects := map[string]manifest.Object{}
	for _, o := range w.head.objects {
		objects[diff.Identity(o).Key()] = o
		objects[o.ID.Key()] = o
	}
	var all []question
	for i := range a.Changes {
		c := &a.Changes[i]
		for j := range c.Fields {
			f := &c.Fields[j]
			all = append(all, question{render.Query{Object: objects[c.Object.Key()], Pointer: f.Path}, &f.Source})
		}
	}
	for i := range a.Findings {
		f := &a.Findings[i]
		if f.Location == nil && f.Object != nil {
			all = append(all, question{render.Query{Object: objects[f.Object.Key()], Pointer: f.Field}, &f.Location})
		}
	}
	return slices.DeleteFunc(all, func(q question) bool { return q.query.Object.ID.Kind == "" }) // of base only
}
