package policy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// errOverrun says that an evaluation took longer than it may.
var errOverrun = errors.New("took too long")

// query asks for the values of all result and exception rules of some policies at once: helpers that
// several of them use are evaluated once.
type query struct {
	policies []*policy
	body     ast.Body
	compiler ast.QueryCompiler
}

// answer is what a policy's rules give for an input. A nil term is an undefined rule.
type answer struct {
	policy    *policy
	results   []*ast.Term // by index in policy.rules
	exception *ast.Term
}

// queries keeps compiled queries by the policies that they ask. How many there can be is bounded by the
// number of different kinds selections in METADATA, but nothing relies on it.
type queries struct {
	mu    sync.Mutex
	known map[string]*query
}

const maxQueries = 512

func newQueries() *queries { return &queries{known: map[string]*query{}} }

func (e *Engine) query(policies []*policy) (*query, error) {
	names := make([]string, len(policies))
	for i, p := range policies {
		names[i] = p.pkg
	}
	key := strings.Join(names, "\x00")
	e.queries.mu.Lock()
	defer e.queries.mu.Unlock()
	if known := e.queries.known[key]; known != nil {
		return known, nil
	}
	q, err := compileQuery(e.compiler, policies)
	if err == nil && len(e.queries.known) < maxQueries {
		e.queries.known[key] = q
	}
	return q, err
}

const resultVar = "results"

// compileQuery makes `results = [[v0 | v0 = data.main.deny], ...]`: an inner array is empty when the rule
// is undefined.
func compileQuery(compiler *ast.Compiler, policies []*policy) (*query, error) {
	var values []*ast.Term
	ask := func(p *policy, name string) {
		v := ast.VarTerm(fmt.Sprintf("v%d", len(values)))
		ref := ast.NewTerm(p.ref.Append(ast.StringTerm(name)))
		values = append(values, ast.ArrayComprehensionTerm(v, ast.NewBody(ast.Equality.Expr(v, ref))))
	}
	for _, p := range policies {
		for _, r := range p.rules {
			ask(p, r.name)
		}
		if p.exception {
			ask(p, "exception")
		}
	}
	qc := compiler.QueryCompiler()
	body, err := qc.Compile(ast.NewBody(ast.Equality.Expr(ast.VarTerm(resultVar), ast.ArrayTerm(values...))))
	if err != nil {
		return nil, fmt.Errorf("compile query: %w", err)
	}
	return &query{policies: policies, body: body, compiler: qc}, nil
}

// run evaluates the query within the engine's timeout. The builtin errors are those that OPA would
// otherwise turn into undefined.
func (e *Engine) run(ctx context.Context, q *query, input *ast.Term, store *dataStore) ([]answer, []topdown.Error, error) {
	limited, stop := context.WithTimeout(ctx, e.options.Timeout)
	defer stop()
	cancel := topdown.NewCancel()
	detach := context.AfterFunc(limited, cancel.Cancel)
	defer detach()
	var refused []topdown.Error
	found, err := topdown.NewQuery(q.body).
		WithCompiler(e.compiler).WithQueryCompiler(q.compiler).
		WithStore(store).WithTransaction(reading{}).WithInput(input).
		WithBuiltins(builtins()).WithBuiltinErrorList(&refused).WithCancel(cancel).
		WithTime(time.Unix(0, 0)).WithSeed(bytes.NewReader(make([]byte, 64))).
		Run(limited)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil && limited.Err() != nil:
		return nil, nil, errOverrun
	case err != nil:
		return nil, nil, err
	case len(found) != 1:
		return nil, nil, fmt.Errorf("query gave %d results instead of one", len(found))
	}
	answers, err := q.answers(found[0][ast.Var(resultVar)])
	return answers, refused, err
}

func (q *query) answers(results *ast.Term) ([]answer, error) {
	values, ok := results.Value.(*ast.Array)
	if !ok {
		return nil, errors.New("query gave no array")
	}
	next := 0
	take := func() *ast.Term {
		inner, ok := values.Elem(next).Value.(*ast.Array)
		next++
		if !ok || inner.Len() == 0 {
			return nil
		}
		return inner.Elem(0)
	}
	answers := make([]answer, len(q.policies))
	for i, p := range q.policies {
		answers[i].policy = p
		for range p.rules {
			answers[i].results = append(answers[i].results, take())
		}
		if p.exception {
			answers[i].exception = take()
		}
	}
	return answers, nil
}
