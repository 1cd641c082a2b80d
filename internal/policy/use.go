package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/mergegate/mergegate/internal/plan"
)

// checkUse reports what was asked for and does not happen: a namespace pattern without a policy, a source
// in which nothing is evaluated, a reference to data that nothing provides.
func (lib *library) checkUse(policies []*policy, options Options) {
	lib.checkNamespaces(policies, options)
	reached := lib.reached(policies)
	lib.checkSources(reached)
	lib.checkReferences(reached)
}

func (lib *library) checkNamespaces(policies []*policy, options Options) {
	for _, pattern := range options.Namespaces {
		matched := slices.ContainsFunc(policies, func(p *policy) bool {
			return !p.native && namespaceMatches(pattern, p.pkg)
		})
		for pkg := range lib.broken { // reported already
			matched = matched || namespaceMatches(pattern, pkg)
		}
		if !matched {
			lib.problem(pattern, nil, fmt.Sprintf("namespace pattern %q matches no package with a deny, warn or violation rule", pattern))
		}
	}
}

// reached are the packages that are evaluated or that an evaluated one refers to, directly or not.
func (lib *library) reached(policies []*policy) map[string]struct{} {
	reached := map[string]struct{}{}
	var queue []string
	for _, p := range policies {
		reached[p.pkg] = struct{}{}
		queue = append(queue, p.pkg)
	}
	byPackage := lib.byPackage()
	for len(queue) > 0 {
		pkg := queue[0]
		queue = queue[1:]
		for _, m := range byPackage[pkg] {
			walkDataRefs(m.parsed, func(ref ast.Ref) {
				for _, target := range lib.targets(ref) {
					if _, again := reached[target]; !again {
						reached[target] = struct{}{}
						queue = append(queue, target)
					}
				}
			})
		}
	}
	return reached
}

func (lib *library) checkSources(reached map[string]struct{}) {
	used := map[string]bool{}
	for _, m := range lib.modules {
		_, isReached := reached[m.pkg]
		_, isBroken := lib.broken[m.pkg]
		used[m.source] = used[m.source] || isReached || isBroken
	}
	for _, source := range lib.sources {
		if _, reported := lib.unparsed[source]; !reported && !used[source] {
			lib.problem(source, nil, "nothing in this policy source is evaluated: it has no deny, warn or violation rule that is selected")
		}
	}
}

// document is a node of the tree of what data provides. A leaf may have anything below it.
type document struct {
	leaf     bool
	children map[string]*document
}

func (d *document) add(path ...string) {
	for _, segment := range path {
		if d.children == nil {
			d.children = map[string]*document{}
		}
		if d.children[segment] == nil {
			d.children[segment] = &document{}
		}
		d = d.children[segment]
	}
	d.leaf = true
}

// missing gives the shortest part of the path that is not there, or nil.
func (d *document) missing(path []string) []string {
	for i, segment := range path {
		if d.leaf {
			return nil
		}
		if d = d.children[segment]; d == nil {
			return path[:i+1]
		}
	}
	return nil
}

func (lib *library) provided() *document {
	root := &document{}
	root.add("mergegate", "application")
	root.add("mergegate", "pull")
	root.add("conftest", "file")
	for key := range lib.dataRoot {
		root.add(key)
	}
	for _, m := range lib.modules {
		pkg := groundPath(m.parsed.Package.Path)
		for _, r := range m.parsed.Rules {
			root.add(append(slices.Clone(pkg), ruleName(r))...)
		}
	}
	return root
}

// checkReferences warns of references into data that are undefined whatever the input is: a rule that
// waits for one is silent.
func (lib *library) checkReferences(reached map[string]struct{}) {
	root := lib.provided()
	byPackage := lib.byPackage()
	for _, pkg := range slices.Sorted(maps.Keys(reached)) {
		seen := map[string]struct{}{}
		for _, m := range byPackage[pkg] {
			walkDataRefs(m.parsed, func(ref ast.Ref) {
				missing := root.missing(groundPath(ref))
				name := "data." + strings.Join(missing, ".")
				if _, again := seen[name]; again || missing == nil {
					return
				}
				seen[name] = struct{}{}
				lib.warn(pkg, ref, fmt.Sprintf("refers to %s, which no package and no data file provides", name))
			})
		}
	}
}

func (lib *library) warn(pkg string, ref ast.Ref, message string) {
	name := lib.nameOf(pkg)
	lib.problems = append(lib.problems, plan.Finding{
		Policy: name, Severity: plan.Warn, Message: message, New: true, Location: location(ref[0].Location),
		Fingerprint: fingerprint("problem", name, message),
	})
}
