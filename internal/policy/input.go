package policy

import (
	"fmt"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/pull"
)

// Application is what policies may know of the application that they look at. What is not known is empty.
type Application struct {
	Name        string
	Path        string
	Environment string
	Cluster     string
	Namespace   string // where objects without one go
}

// Input is one application, before and after. Both sets must already be masked.
type Input struct {
	Application Application
	Base        manifest.Set // empty for a new application
	Head        manifest.Set // empty for a removed one
	Changes     []plan.Change
	Live        map[string]Live // by the key of a change's object; without an entry no cluster was asked
	Pull        *pull.Request   // nil where there is none
}

// Live is what a cluster would do to a changed object. Both contents must already be masked.
type Live struct {
	Result        plan.Result
	Before, After map[string]any // the live object, and what the server would hold; nil where there is none
}

// operation is what admission of the cluster would be asked about, in the words of an AdmissionReview.
func (l Live) operation() string {
	switch l.Result {
	case plan.WillDelete:
		return "DELETE"
	case plan.WillCreate, plan.WillReplace:
		return "CREATE"
	}
	if l.Before == nil {
		return "CREATE"
	}
	return "UPDATE"
}

func (a Application) value() map[string]any {
	return map[string]any{
		"name": a.Name, "path": a.Path, "environment": a.Environment, "cluster": a.Cluster, "namespace": a.Namespace,
	}
}

func pullValue(r *pull.Request) map[string]any {
	labels := make([]any, len(r.Labels))
	for i, l := range r.Labels {
		labels[i] = l
	}
	return map[string]any{
		"number": r.Number, "title": r.Title, "draft": r.Draft, "fork": r.Fork, "labels": labels,
		"author": map[string]any{"login": r.Author.Login, "bot": r.Author.Bot},
		"base":   r.BaseRef, "head": r.HeadRef,
	}
}

// newStore gives the data of an evaluation: data files, the application and the pull request.
func (e *Engine) newStore(in Input) (*dataStore, error) {
	own := map[string]any{"application": in.Application.value()}
	if in.Pull != nil {
		own["pull"] = pullValue(in.Pull)
	}
	value, err := ast.InterfaceToValue(map[string]any{
		"mergegate": own,
		"conftest":  map[string]any{"file": map[string]any{"name": "-", "dir": in.Application.Path}},
	})
	if err != nil {
		return nil, fmt.Errorf("application %s: %w", in.Application.Name, err)
	}
	root := value.(ast.Object)
	e.data.Foreach(func(k, v *ast.Term) { root.Insert(k, v) })
	return &dataStore{root: root}, nil
}

// lazyTerm converts once, when it is first needed, whoever needs it.
type lazyTerm func() (*ast.Term, error)

func lazily(make func() (ast.Value, error)) lazyTerm {
	return sync.OnceValues(func() (*ast.Term, error) {
		value, err := make()
		if err != nil {
			return nil, err
		}
		return ast.NewTerm(value), nil
	})
}

// side is one of base and head, with each object converted at most once.
type side struct {
	set        manifest.Set
	terms      []lazyTerm
	all        lazyTerm // [object, ...]
	combined   lazyTerm // [{"path": ..., "contents": object}, ...]
	byKey      map[string]int
	byIdentity map[string][]int
}

func newSide(set manifest.Set, applicationPath string) *side {
	s := &side{set: set, byKey: map[string]int{}, byIdentity: map[string][]int{}}
	for i, o := range set {
		if _, twice := s.byKey[o.ID.Key()]; !twice {
			s.byKey[o.ID.Key()] = i
		}
		s.byIdentity[identity(o)] = append(s.byIdentity[identity(o)], i)
		s.terms = append(s.terms, lazily(func() (ast.Value, error) { return ast.InterfaceToValue(o.Content) }))
	}
	s.all = lazily(func() (ast.Value, error) { return s.array(func(t *ast.Term) *ast.Term { return t }) })
	s.combined = lazily(func() (ast.Value, error) {
		path := ast.StringTerm(applicationPath)
		return s.array(func(t *ast.Term) *ast.Term {
			return ast.ObjectTerm([2]*ast.Term{ast.StringTerm("path"), path}, [2]*ast.Term{ast.StringTerm("contents"), t})
		})
	})
	return s
}

func (s *side) array(wrap func(*ast.Term) *ast.Term) (ast.Value, error) {
	elements := make([]*ast.Term, len(s.terms))
	for i, term := range s.terms {
		t, err := term()
		if err != nil {
			return nil, err
		}
		elements[i] = wrap(t)
	}
	return ast.NewArray(elements...), nil
}

// find gives the object of this identity's key, or nil.
func (s *side) find(key string) *manifest.Object {
	if i, ok := s.byKey[key]; ok {
		return &s.set[i]
	}
	return nil
}

// applicationInput is the document of scope application.
func applicationInput(app Application, objects, base *side) lazyTerm {
	return lazily(func() (ast.Value, error) {
		return applicationDocument(app, objects, base)
	})
}

func applicationDocument(app Application, objects, base *side) (ast.Object, error) {
	about, err := ast.InterfaceToValue(app.value())
	if err != nil {
		return nil, err
	}
	now, err := objects.all()
	if err != nil {
		return nil, err
	}
	before, err := base.all()
	if err != nil {
		return nil, err
	}
	return ast.NewObject(
		[2]*ast.Term{ast.StringTerm("application"), ast.NewTerm(about)},
		[2]*ast.Term{ast.StringTerm("objects"), now},
		[2]*ast.Term{ast.StringTerm("base"), before},
	), nil
}

// changeInput is the document of scope change.
func changeInput(in Input, c plan.Change, head, base *side) lazyTerm {
	return lazily(func() (ast.Value, error) {
		document, err := applicationDocument(in.Application, head, base)
		if err != nil {
			return nil, err
		}
		if l, ok := in.Live[c.Object.Key()]; ok {
			if err := l.insert(document); err != nil {
				return nil, err
			}
		}
		id, err := ast.InterfaceToValue(map[string]any{
			"group": c.Object.Group, "version": c.Object.Version, "kind": c.Object.Kind,
			"namespace": c.Object.Namespace, "name": c.Object.Name,
		})
		if err != nil {
			return nil, err
		}
		change, err := changeValue(c, head, base)
		if err != nil {
			return nil, err
		}
		document.Insert(ast.StringTerm("id"), ast.NewTerm(id))
		document.Insert(ast.StringTerm("change"), ast.NewTerm(change))
		return document, nil
	})
}

// insert adds what the cluster would do: the objects, and the same as an AdmissionReview has them.
func (l Live) insert(document ast.Object) error {
	before, after := any(nil), any(nil)
	if l.Before != nil {
		before = l.Before
	}
	if l.After != nil {
		after = l.After
	}
	review := map[string]any{"operation": l.operation(), "object": after, "oldObject": before}
	switch l.operation() {
	case "CREATE":
		review["oldObject"] = nil
	case "DELETE":
		review["object"] = nil
	}
	for key, value := range map[string]any{"live": before, "predicted": after, "operation": l.operation(), "result": string(l.Result), "review": review} {
		term, err := ast.InterfaceToValue(value)
		if err != nil {
			return err
		}
		document.Insert(ast.StringTerm(key), ast.NewTerm(term))
	}
	return nil
}

func changeValue(c plan.Change, head, base *side) (ast.Object, error) {
	before, after, err := bodies(c, head, base)
	if err != nil {
		return nil, err
	}
	rest, err := ast.InterfaceToValue(map[string]any{"actions": actions(c.Action), "fields": fieldValues(c.Fields)})
	if err != nil {
		return nil, err
	}
	change := rest.(ast.Object)
	change.Insert(ast.StringTerm("before"), before)
	change.Insert(ast.StringTerm("after"), after)
	return change, nil
}

// bodies are the object before and after; null where there is none.
func bodies(c plan.Change, head, base *side) (before, after *ast.Term, err error) {
	before, after = ast.NullTerm(), ast.NullTerm()
	if i, ok := head.byKey[c.Object.Key()]; ok && c.Action != plan.Delete {
		if after, err = head.terms[i](); err != nil {
			return nil, nil, err
		}
	}
	if i, ok := beforeIndex(c, head, base); ok && c.Action != plan.Create {
		if before, err = base.terms[i](); err != nil {
			return nil, nil, err
		}
	}
	return before, after, nil
}

// beforeIndex finds the changed object in base, also when its generated name changed.
func beforeIndex(c plan.Change, head, base *side) (int, bool) {
	if i, ok := base.byKey[c.Object.Key()]; ok {
		return i, true
	}
	if o := head.find(c.Object.Key()); o != nil {
		if same := base.byIdentity[identity(*o)]; len(same) > 0 {
			return same[0], true
		}
	}
	return 0, false
}

// actions spells an action as Terraform plans do.
func actions(a plan.Action) []any {
	if a == plan.Replace {
		return []any{"delete", "create"}
	}
	return []any{string(a)}
}

func fieldValues(fields []plan.Field) []any {
	values := make([]any, len(fields))
	for i, f := range fields {
		value := map[string]any{"path": f.Path, "at": f.At}
		if f.Before != nil {
			value["before"] = f.Before
		}
		if f.After != nil {
			value["after"] = f.After
		}
		if f.Sensitive {
			value["sensitive"] = true
		}
		values[i] = value
	}
	return values
}
