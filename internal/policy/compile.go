package policy

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// compile compiles all packages that can be compiled together. OPA compiles all or nothing: a package
// with an error is reported and left out, with those that depend on it, until the rest compiles.
func (lib *library) compile(newCompiler func() *ast.Compiler) *ast.Compiler {
	for pkg := range maps.Clone(lib.broken) { // those that do not parse
		lib.breakDependents(pkg)
	}
	retried := map[string]ast.Errors{}
	for {
		compiler := newCompiler()
		compiler.Compile(lib.goodModules())
		if !compiler.Failed() {
			return compiler
		}
		lib.dropFailed(compiler.Errors, retried)
	}
}

func (lib *library) goodModules() map[string]*ast.Module {
	good := map[string]*ast.Module{}
	for name, m := range lib.modules {
		if _, broken := lib.broken[m.pkg]; !broken {
			good[name] = m.parsed
		}
	}
	return good
}

// dropFailed breaks the packages that the errors name. A package gets a second try with its files as v0,
// where they parse as v0: a v0 file without any v0 syntax looks like v1.
func (lib *library) dropFailed(errs ast.Errors, retried map[string]ast.Errors) {
	byPackage := map[string]ast.Errors{}
	for _, e := range errs {
		if pkg := lib.packageOf(e); pkg != "" {
			byPackage[pkg] = append(byPackage[pkg], e)
		}
	}
	if len(byPackage) == 0 { // not to be told whose errors these are: nothing may pass
		for pkg := range lib.byPackage() {
			byPackage[pkg] = errs
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(byPackage)) {
		if _, broken := lib.broken[pkg]; broken {
			continue
		}
		if _, again := retried[pkg]; !again {
			retried[pkg] = byPackage[pkg]
			if lib.reparseAsV0(pkg) {
				continue
			}
		}
		lib.breakPackage(pkg, retried[pkg])
	}
}

func (lib *library) packageOf(e *ast.Error) string {
	if e.Location == nil || lib.modules[e.Location.File] == nil {
		return ""
	}
	pkg := lib.modules[e.Location.File].pkg
	if _, broken := lib.broken[pkg]; broken {
		return ""
	}
	return pkg
}

func (lib *library) reparseAsV0(pkg string) bool {
	changed := false
	for _, m := range lib.modules {
		if m.pkg != pkg || m.parsed.RegoVersion() != ast.RegoV1 {
			continue
		}
		if v0, err := parseAs(ast.RegoV0, m.path, m.text); err == nil && v0.RegoVersion() == ast.RegoV0 {
			m.parsed, changed = v0, true
		}
	}
	return changed
}

// breakPackage reports the errors, one finding for each line, and leaves the package out.
func (lib *library) breakPackage(pkg string, errs ast.Errors) {
	name := lib.nameOf(pkg)
	seen := map[string]struct{}{}
	for _, e := range errs {
		at := location(e.Location)
		key := fmt.Sprint(at)
		if at != nil {
			key = fmt.Sprint(*at)
		}
		if _, again := seen[key]; again {
			continue
		}
		seen[key] = struct{}{}
		lib.problem(name, at, "does not compile: "+explain(e.Message))
	}
	lib.broken[pkg] = struct{}{}
	lib.breakDependents(pkg)
}

// nameOf is how findings name a package: its id, if METADATA gives one.
func (lib *library) nameOf(pkg string) string {
	p := &policy{pkg: pkg}
	if meta, err := packageMetadata(lib.byPackage()[pkg]); err == nil {
		p.metadata = meta
	}
	return p.name()
}

// explain says in our words what a compiler's message means where the reason is ours.
func explain(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	found := regexp.MustCompile(`undefined function ([\w.]+)`).FindStringSubmatch(message)
	if found == nil {
		return message
	}
	if why := unavailable(found[1]); why != "" {
		return found[1] + " is not available: " + why
	}
	return message
}

// breakDependents leaves out what refers to a package that is left out: without it, its references
// would be undefined, and its rules silent.
func (lib *library) breakDependents(pkg string) {
	for _, name := range slices.Sorted(maps.Keys(lib.modules)) {
		m := lib.modules[name]
		if _, broken := lib.broken[m.pkg]; broken || !lib.refersTo(m, pkg) {
			continue
		}
		lib.broken[m.pkg] = struct{}{}
		lib.problem(lib.nameOf(m.pkg), location(m.parsed.Package.Location),
			fmt.Sprintf("not evaluated: it depends on package %s, which does not compile", pkg))
		lib.breakDependents(m.pkg)
	}
}

func (lib *library) refersTo(m *module, pkg string) bool {
	found := false
	walkDataRefs(m.parsed, func(ref ast.Ref) {
		found = found || slices.Contains(lib.targets(ref), pkg)
	})
	return found
}

// targets are the packages that a reference may mean: the longest one that it goes through, and all
// below where it ends or becomes variable.
func (lib *library) targets(ref ast.Ref) []string {
	ground := groundPath(ref)
	packages := lib.packagePaths()
	var through string
	var below []string
	for pkg, segments := range packages {
		switch {
		case len(segments) <= len(ground) && slices.Equal(segments, ground[:len(segments)]):
			if len(pkg) > len(through) {
				through = pkg
			}
		case len(segments) > len(ground) && slices.Equal(segments[:len(ground)], ground):
			below = append(below, pkg)
		}
	}
	if through != "" {
		below = append(below, through)
	}
	return below
}

// packagePaths are all packages, those that did not parse included.
func (lib *library) packagePaths() map[string][]string {
	paths := map[string][]string{}
	for pkg := range lib.broken {
		paths[pkg] = strings.Split(pkg, ".")
	}
	for _, m := range lib.modules {
		paths[m.pkg] = groundPath(m.parsed.Package.Path)
	}
	return paths
}

// groundPath is the constant part of a reference, without data.
func groundPath(ref ast.Ref) []string {
	var segments []string
	for _, term := range ref[1:] {
		text, ok := term.Value.(ast.String)
		if !ok {
			break
		}
		segments = append(segments, string(text))
	}
	return segments
}

// walkDataRefs calls f with every reference into data: imports, and what goes through one, included.
func walkDataRefs(m *ast.Module, f func(ast.Ref)) {
	imported := map[ast.Var]ast.Ref{}
	for _, i := range m.Imports {
		if ref, ok := i.Path.Value.(ast.Ref); ok && isData(ref) {
			imported[i.Name()] = ref
			f(ref)
		}
	}
	visit := func(ref ast.Ref) bool {
		head, _ := ref[0].Value.(ast.Var) // what is no variable is no import either
		switch through := imported[head]; {
		case isData(ref):
			f(ref)
		case through != nil && len(ref) > 1:
			f(through.Concat(ref[1:]))
		}
		return false
	}
	for _, r := range m.Rules {
		ast.WalkRefs(r, visit)
	}
}

func isData(ref ast.Ref) bool { return len(ref) > 1 && ref[0].Equal(ast.DefaultRootDocument) }
