// Package policy evaluates Rego over rendered objects, applications and changes and says what it finds.
//
// It knows Rego, conftest's conventions and the documents that README.md describes. It must not know
// where policies and objects come from, what a finding means for the verdict, or what a masked value
// hides. Nothing it does depends on the clock, the network or the machine, except that a query which
// overruns its deadline is an error. OPA is imported nowhere else.
package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/mergegate/mergegate/internal/plan"
)

// formatVersion changes whenever the same policies may give other findings than before.
const formatVersion = "1"

// File is one file of a source. Path is slash-separated and relative to the source.
type File struct {
	Path string
	Data []byte
}

// Source is a directory of policies. Its name stands in findings and in [plan.Policy]; a directory of
// the repository is named by its path, so that name and file path together are the path in the repository.
type Source struct {
	Name  string
	Files []File
	// Data says that every YAML and JSON file is data, at the place that its directory gives it
	// (conftest's --data). Otherwise only data.yaml, data.yml, data.json and files below data/ are.
	Data bool
}

// Options say which policies are evaluated, and how. The zero value has all defaults.
type Options struct {
	// Namespaces restrict, as globs over package names, which packages without custom.mergegate
	// METADATA are evaluated. None: all.
	Namespaces []string
	// Combine gives packages without custom.mergegate METADATA all objects of an application at once.
	Combine bool
	// Timeout bounds one evaluation of one policy. Default 5 s.
	Timeout time.Duration
	// Workers bounds how many evaluations run at once. Default: one per core.
	Workers int
	// Limit bounds the findings of one rule for one input. Default 500.
	Limit int
}

// Engine holds compiled policies. It may be used by several goroutines at once.
type Engine struct {
	options  Options
	compiler *ast.Compiler
	policies []*policy
	data     ast.Object
	problems []plan.Finding
	revision string
	queries  *queries
}

// Compile reads and compiles the sources. What is wrong with a policy is no error but one of the
// engine's problems: it takes down only itself and what depends on it.
func Compile(ctx context.Context, sources []Source, options Options) (*Engine, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("compile policies: %w", err)
	}
	for _, pattern := range options.Namespaces {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("compile policies: namespace pattern %q: %w", pattern, err)
		}
	}
	lib := load(sources, evaluated)
	e := &Engine{options: options.withDefaults(), data: lib.data, revision: revision(sources, options), queries: newQueries()}
	e.compiler = lib.compile(newCompiler)
	e.policies = lib.policies(e.compiler, e.options)
	lib.checkUse(e.policies, e.options)
	e.problems = lib.sortedProblems()
	return e, nil
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Limit <= 0 {
		o.Limit = 500
	}
	return o
}

// Revision identifies what is evaluated: equal revisions give equal findings for equal inputs.
func (e *Engine) Revision() string { return e.revision }

// Problems are the findings about the policies themselves, which hold whatever the input is: those that
// do not compile (severity error), and references to data that nothing provides (severity warn).
func (e *Engine) Problems() []plan.Finding { return slices.Clone(e.problems) }

// Policies are the policies that Evaluate evaluates, sorted by name. None at all must not become a pass:
// that is for the verdict to say.
func (e *Engine) Policies() []plan.Policy {
	var all []plan.Policy
	for _, p := range e.policies {
		for _, r := range p.rules {
			all = append(all, plan.Policy{Name: r.id(p), Source: p.source})
		}
	}
	slices.SortFunc(all, func(a, b plan.Policy) int {
		return strings.Compare(a.Name+"\x00"+a.Source, b.Name+"\x00"+b.Source)
	})
	return slices.Compact(all)
}

// Description is what `mergegate policy list` and `mergegate policy explain` show of a policy.
type Description struct {
	Name        string   // as in [plan.Policy]
	Package     string   // Rego package
	Source      string   // where it is from
	Title       string   // one line, may be empty
	Description string   // Markdown, may be empty
	Severity    string   // critical, high, medium, low, info, or empty
	Scope       string   // object, application, change or combine
	Kinds       []string // what it looks at; empty: everything
	Rules       []string // deny, warn_x, ...
	URL         string   // documentation
}

// Describe describes the policies of [Engine.Policies], in the same order.
func (e *Engine) Describe() []Description {
	byName := map[string]*Description{}
	var names []string
	for _, p := range e.policies {
		for _, r := range p.rules {
			key := r.id(p) + "\x00" + p.source
			if byName[key] == nil {
				byName[key] = describe(p, r)
				names = append(names, key)
			}
			byName[key].Rules = append(byName[key].Rules, r.name)
		}
	}
	slices.Sort(names)
	all := make([]Description, 0, len(names))
	for _, name := range names {
		all = append(all, *byName[name])
	}
	return all
}

func describe(p *policy, r *rule) *Description {
	return &Description{
		Name: r.id(p), Package: p.pkg, Source: p.source,
		Title: r.title(p), Description: p.description, Severity: p.severity,
		Scope: string(p.scope), Kinds: p.kinds.names(), URL: r.url(p),
	}
}

// revision hashes everything of the sources that may have an influence, and nothing else: neither tests,
// nor READMEs, nor the order of files.
func revision(sources []Source, options Options) string {
	h := sha256.New()
	write := func(parts ...string) {
		for _, part := range parts {
			h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
		}
	}
	write(formatVersion, strconv.FormatBool(options.Combine), strconv.Itoa(len(options.Namespaces)))
	write(options.Namespaces...)
	for _, source := range sources {
		write("source", source.Name)
		for _, f := range sortedFiles(source) {
			if kindOf(source, f.Path) != ignored && !isTest(f.Path) {
				write(f.Path, string(f.Data))
			}
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}
