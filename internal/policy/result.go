package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// maxMessage bounds a message in bytes.
const maxMessage = 4096

// result is an element of a result rule, read.
type result struct {
	message  string
	field    ast.Value
	object   *manifest.ID
	location *manifest.Location
}

// ask evaluates policies on a task's input. The second result are refusals of builtins, if any.
func (s *stage) ask(ctx context.Context, t *task, policies []*policy) ([]answer, []topdown.Error, error) {
	q, err := s.engine.query(policies)
	if err != nil {
		return nil, nil, err
	}
	input, err := t.input()
	if err != nil {
		return nil, nil, fmt.Errorf("convert input: %w", err)
	}
	return s.engine.run(ctx, q, input, s.store)
}

// collect reads the answers.
func (s *stage) collect(t *task, answers []answer) []hit {
	var hits []hit
	for _, a := range answers {
		lifted := suffixes(a.exception)
		for i, r := range a.policy.rules {
			found := s.collectRule(t, a.policy, r, a.results[i])
			if slices.Contains(lifted, r.suffix) {
				lift(found, a.policy)
			}
			hits = append(hits, found...)
		}
	}
	return hits
}

// suffixes are the rules that conftest's exception lifts: data.main.exception[_][_].
func suffixes(exception *ast.Term) []string {
	var all []string
	each(exception, func(element *ast.Term) bool {
		each(element, func(suffix *ast.Term) bool {
			if text, ok := suffix.Value.(ast.String); ok {
				all = append(all, string(text))
			}
			return true
		})
		return true
	})
	return all
}

// each visits the elements of a set or an array in their order; it says whether it is one.
func each(t *ast.Term, visit func(*ast.Term) bool) bool {
	if t == nil {
		return true
	}
	switch v := t.Value.(type) {
	case ast.Set:
		for _, element := range v.Slice() {
			if !visit(element) {
				break
			}
		}
		return true
	case *ast.Array:
		for i := range v.Len() {
			if !visit(v.Elem(i)) {
				break
			}
		}
		return true
	}
	return false
}

func lift(hits []hit, p *policy) {
	for i := range hits {
		if hits[i].finding.Severity != plan.SeverityError {
			hits[i].finding.WaivedBy = "exception in " + p.pkg
		}
	}
}

func (s *stage) collectRule(t *task, p *policy, r *rule, value *ast.Term) []hit {
	var hits []hit
	total := 0
	isCollection := each(value, func(element *ast.Term) bool {
		total++
		if total <= s.engine.options.Limit {
			hits = append(hits, s.collectElement(t, p, r, element))
		}
		return true
	})
	if !isCollection {
		message := fmt.Sprintf("%s gave %s instead of a set of messages: write %s contains msg if ...",
			r.name, ast.ValueName(value.Value), r.name)
		return []hit{s.failure(t, p, r, message, nil)}
	}
	if more := total - s.engine.options.Limit; more > 0 {
		hits = append(hits, s.overflow(t, p, r, more))
	}
	return hits
}

func (s *stage) overflow(t *task, p *policy, r *rule, more int) hit {
	h := s.failure(t, p, r, fmt.Sprintf("%d more results of %s are not listed", more, r.name), nil)
	h.finding.Severity = r.severity
	h.finding.Fingerprint = s.fingerprint(p, r, t.identity, "overflow", "")
	return h
}

func (s *stage) collectElement(t *task, p *policy, r *rule, element *ast.Term) hit {
	read, err := readResult(element.Value)
	if err != nil {
		return s.failure(t, p, r, fmt.Sprintf("%s: %v", r.name, err), nil)
	}
	object, known := t.object, t.identity
	if object == nil && read.object != nil {
		object = t.side.find(read.object.Key())
		if object == nil {
			object = &manifest.Object{ID: *read.object}
		}
		known = identity(*object)
	}
	f := plan.Finding{
		Policy: r.id(p), Title: r.title(p), Severity: r.severity, Message: clip(read.message), Location: read.location, URL: r.url(p),
	}
	var content any
	if object != nil {
		id := object.ID
		f.Object, content = &id, object.Content
	}
	if read.field != nil {
		f.Field = pointer(read.field, content)
	}
	if f.Field != "" {
		f.Fingerprint = s.fingerprint(p, r, known, "field", stableField(f.Field, content))
	} else {
		f.Fingerprint = s.fingerprint(p, r, known, "message", read.message)
	}
	return hit{policy: p, rule: r, finding: f}
}

func (s *stage) fingerprint(p *policy, r *rule, identity, kind, detail string) string {
	return fingerprint(s.application, r.id(p), p.pkg+"."+r.name, identity, kind, detail)
}

// failure is an error finding about a policy and what it looked at.
func (s *stage) failure(t *task, p *policy, r *rule, message string, at *manifest.Location) hit {
	f := plan.Finding{
		Policy: p.name(), Title: p.title, Severity: plan.SeverityError, Message: clip(message), Location: at, URL: p.url,
	}
	if r != nil {
		f.Policy, f.Title, f.URL = r.id(p), r.title(p), r.url(p)
	} else if p.id == "" && len(p.rules) == 1 {
		f.Policy = p.rules[0].id(p)
	}
	if t.object != nil {
		id := t.object.ID
		f.Object = &id
	}
	f.Fingerprint = fingerprint("error", s.application, f.Policy, t.identity)
	return hit{policy: p, rule: r, finding: f}
}

func (s *stage) evaluationError(t *task, p *policy, err error) hit {
	if e, ok := errors.AsType[*topdown.Error](err); ok {
		message := strings.Join(strings.Fields(e.Message), " ")
		return s.failure(t, p, nil, "evaluation failed: "+message, location(e.Location))
	}
	return s.failure(t, p, nil, "evaluation failed: "+err.Error(), nil)
}

// builtinErrors reports builtins that refused their operands. Rego would take the expression for
// undefined, and the rule would be silent.
func (s *stage) builtinErrors(t *task, p *policy, refused []topdown.Error) hit {
	first := slices.MinFunc(refused, func(a, b topdown.Error) int { return strings.Compare(a.Error(), b.Error()) })
	message := "evaluation failed: " + first.Message
	distinct := map[string]struct{}{}
	for _, e := range refused {
		distinct[e.Error()] = struct{}{}
	}
	if more := len(distinct) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	return s.failure(t, p, nil, message, location(first.Location))
}

// readResult reads an element of a result rule: a message, or an object with one.
func readResult(value ast.Value) (result, error) {
	switch v := value.(type) {
	case ast.String:
		return result{message: string(v)}, nil
	case ast.Object:
		message, ok := text(v, "msg")
		if !ok {
			return result{}, errors.New(`a result has no string "msg"`)
		}
		return result{message: message, field: fieldOf(v), object: objectOf(v), location: locationOf(v)}, nil
	}
	return result{}, fmt.Errorf("a result is %s instead of a message or an object with msg", ast.ValueName(value))
}

func get(o ast.Object, key string) ast.Value {
	if t := o.Get(ast.StringTerm(key)); t != nil {
		return t.Value
	}
	return nil
}

func text(o ast.Object, key string) (string, bool) {
	s, ok := get(o, key).(ast.String)
	return string(s), ok
}

// fieldOf is the field that a result names: field, or the first of paths.
func fieldOf(o ast.Object) ast.Value {
	if f := get(o, "field"); f != nil {
		return f
	}
	var first ast.Value
	if paths := o.Get(ast.StringTerm("paths")); paths != nil {
		each(paths, func(path *ast.Term) bool {
			first = path.Value
			return false
		})
	}
	return first
}

// objectOf is the object that a result names, by its own fields or by its metadata.
func objectOf(o ast.Object) *manifest.ID {
	named, ok := get(o, "object").(ast.Object)
	if !ok {
		return nil
	}
	var id manifest.ID
	id.Kind, _ = text(named, "kind") // what is not there is empty
	id.Group, _ = text(named, "group")
	id.Version, _ = text(named, "version")
	if apiVersion, ok := text(named, "apiVersion"); ok {
		id.Group, id.Version = "", apiVersion
		if group, version, inGroup := strings.Cut(apiVersion, "/"); inGroup {
			id.Group, id.Version = group, version
		}
	}
	names := named
	if metadata, ok := get(named, "metadata").(ast.Object); ok {
		names = metadata
	}
	id.Name, _ = text(names, "name")
	id.Namespace, _ = text(names, "namespace")
	if id.Kind == "" || id.Name == "" {
		return nil
	}
	return &id
}

// locationOf reads conftest's _loc.
func locationOf(o ast.Object) *manifest.Location {
	loc, ok := get(o, "_loc").(ast.Object)
	if !ok {
		return nil
	}
	file, _ := text(loc, "file") // checked next
	number, ok := get(loc, "line").(ast.Number)
	if !ok || file == "" {
		return nil
	}
	line, ok := number.Int()
	if !ok || line < 1 {
		return nil
	}
	return &manifest.Location{File: file, Line: line}
}

// clip bounds a message without cutting a character.
func clip(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	cut := maxMessage
	for !utf8.RuneStart(message[cut]) {
		cut--
	}
	return fmt.Sprintf("%s... (%d more bytes)", message[:cut], len(message)-cut)
}

// dropPassedOn leaves out what a rule of another package passes on: it is found there already.
func dropPassedOn(hits []hit) []hit {
	said := map[*rule]map[string]struct{}{}
	for _, h := range hits {
		if h.rule == nil || h.finding.Severity == plan.SeverityError {
			continue
		}
		if said[h.rule] == nil {
			said[h.rule] = map[string]struct{}{}
		}
		said[h.rule][h.finding.Message] = struct{}{}
	}
	return slices.DeleteFunc(hits, func(h hit) bool {
		if h.rule == nil || h.finding.Severity == plan.SeverityError {
			return false
		}
		return slices.ContainsFunc(h.rule.passedOnBy, func(by *rule) bool {
			_, same := said[by][h.finding.Message]
			return same
		})
	})
}
