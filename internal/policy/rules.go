package policy

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/mergegate/mergegate/internal/plan"
)

// policy is a package with result rules.
type policy struct {
	metadata
	pkg       string
	source    string
	ref       ast.Ref
	rules     []*rule // sorted by name
	exception bool    // has an exception rule
}

// rule is a result rule: all definitions of deny_x together.
type rule struct {
	metadata
	name     string // deny_x
	suffix   string // x
	severity plan.Severity
	// passedOnBy are the result rules of other packages that refer to this one.
	passedOnBy []*rule
}

// id names the rule's policy: METADATA custom.id of the rule or the package, else <package>.<rule>.
func (r *rule) id(p *policy) string {
	return cmp.Or(r.metadata.id, p.id, p.pkg+"."+r.name)
}

func (r *rule) title(p *policy) string { return cmp.Or(r.metadata.title, p.title) }

func (r *rule) url(p *policy) string { return cmp.Or(r.metadata.url, p.url) }

// name names the policy as a whole.
func (p *policy) name() string { return cmp.Or(p.id, p.pkg) }

// resultRule says whether a rule of this name gives results, of which severity and with which suffix.
func resultRule(name string) (severity plan.Severity, suffix string, ok bool) {
	found := regexp.MustCompile(`^(deny|violation|warn)((?:_[a-zA-Z0-9]+)*)$`).FindStringSubmatch(name)
	if found == nil {
		return "", "", false
	}
	severity = plan.Deny
	if found[1] == "warn" {
		severity = plan.Warn
	}
	return severity, strings.TrimPrefix(found[2], "_"), true
}

// policies are those of the compiled packages that options select, sorted by package.
func (lib *library) policies(compiler *ast.Compiler, options Options) []*policy {
	var all []*policy
	byPackage := lib.byPackage()
	for _, pkg := range slices.Sorted(maps.Keys(byPackage)) {
		if _, broken := lib.broken[pkg]; broken {
			continue
		}
		if p := lib.policy(pkg, byPackage[pkg], compiler); p != nil && selected(p, options) {
			if options.Combine && !p.native {
				p.scope = scopeCombine
			}
			all = append(all, p)
		}
	}
	linkPassedOn(all, compiler)
	return all
}

func selected(p *policy, options Options) bool {
	if p.native || len(options.Namespaces) == 0 {
		return true
	}
	return slices.ContainsFunc(options.Namespaces, func(pattern string) bool { return namespaceMatches(pattern, p.pkg) })
}

func namespaceMatches(pattern, pkg string) bool {
	matched, err := path.Match(pattern, pkg)
	return err == nil && matched // patterns were checked by Compile
}

func (lib *library) byPackage() map[string][]*module {
	byPackage := map[string][]*module{}
	for _, name := range slices.Sorted(maps.Keys(lib.modules)) {
		m := lib.modules[name]
		byPackage[m.pkg] = append(byPackage[m.pkg], m)
	}
	return byPackage
}

// policy makes a policy of a package, or nil when it has nothing to say.
func (lib *library) policy(pkg string, modules []*module, compiler *ast.Compiler) *policy {
	meta, err := packageMetadata(modules)
	p := &policy{metadata: meta, pkg: pkg, source: sourcesOf(modules), ref: modules[0].parsed.Package.Path}
	if err != nil {
		lib.problem(p.name(), location(modules[0].parsed.Package.Location), err.Error())
		return nil
	}
	named := map[string]*rule{}
	dropped := map[string]struct{}{}
	for _, m := range modules {
		for _, definition := range m.parsed.Rules {
			name := ruleName(definition)
			p.exception = p.exception || name == "exception"
			if err := lib.define(named, name, definition, p, compiler); err != nil {
				lib.problem(p.name(), location(definition.Location), err.Error())
				dropped[name] = struct{}{}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if _, bad := dropped[name]; !bad {
			p.rules = append(p.rules, named[name])
		}
	}
	if len(p.rules) == 0 {
		return nil
	}
	return p
}

// ruleName is the first part of the rule's reference: deny for deny, deny[x] and deny.x.
func ruleName(r *ast.Rule) string {
	switch head := r.Head.Ref()[0].Value.(type) {
	case ast.Var:
		return string(head)
	case ast.String:
		return string(head)
	}
	return ""
}

// define adds a definition to the result rules, if it is one of a result rule.
func (lib *library) define(named map[string]*rule, name string, r *ast.Rule, p *policy, compiler *ast.Compiler) error {
	severity, suffix, ok := resultRule(name)
	if !ok {
		return nil
	}
	if len(r.Head.Args) > 0 {
		if suffix == "" {
			return fmt.Errorf("%s is a function; a result rule has no parameters: %s contains msg if ...", name, name)
		}
		return nil // a helper function like deny_message(x)
	}
	if err := checkShape(name, r, p, compiler); err != nil {
		return err
	}
	if named[name] == nil {
		named[name] = &rule{name: name, suffix: suffix, severity: severity}
	}
	return named[name].annotate(r)
}

// checkShape refuses what can be seen to be neither a set nor an array. What cannot be seen here is
// refused when it is evaluated.
func checkShape(name string, r *ast.Rule, p *policy, compiler *ast.Compiler) error {
	wrong := fmt.Errorf("%s must be a set of messages, not %s: write %s contains msg if ...", name, shapeOf(r), name)
	if len(r.Head.Ref()) > 1 {
		return wrong
	}
	if r.Head.RuleKind() == ast.MultiValue {
		return nil
	}
	ref := p.ref.Append(ast.StringTerm(name))
	if compiler == nil || compiler.TypeEnv == nil || mayBeCollection(compiler.TypeEnv.GetByRef(ref)) {
		return nil
	}
	return wrong
}

func shapeOf(r *ast.Rule) string {
	if len(r.Head.Ref()) > 1 {
		return "an object (" + r.Head.Ref().String() + ")"
	}
	return "a single value"
}

func mayBeCollection(t types.Type) bool {
	switch t := t.(type) {
	case nil, *types.Set, *types.Array:
		return true
	case types.Any:
		return len(t) == 0 || slices.ContainsFunc(t, mayBeCollection)
	case *types.NamedType:
		return mayBeCollection(t.Type)
	}
	return false
}

// annotate takes over what METADATA at a rule says. What several definitions say must not differ.
func (r *rule) annotate(definition *ast.Rule) error {
	for _, a := range definition.Annotations {
		meta, err := readMetadata(a)
		if err != nil {
			return err
		}
		if meta.native {
			return fmt.Errorf("METADATA custom.mergegate belongs to the package, not to rule %s", r.name)
		}
		if r.metadata.id != "" && meta.id != "" && r.metadata.id != meta.id {
			return fmt.Errorf("rule %s has two ids, %s and %s: use two rules", r.name, r.metadata.id, meta.id)
		}
		r.metadata.id = cmp.Or(r.metadata.id, meta.id)
		r.metadata.title = cmp.Or(r.metadata.title, meta.title)
		r.metadata.description = cmp.Or(r.metadata.description, meta.description)
		r.metadata.severity = cmp.Or(r.metadata.severity, meta.severity)
		r.metadata.url = cmp.Or(r.metadata.url, meta.url)
	}
	return nil
}

func packageMetadata(modules []*module) (metadata, error) {
	meta := metadata{scope: scopeObject}
	for _, m := range modules {
		for _, a := range m.parsed.Annotations {
			if a.Scope != "package" && a.Scope != "subpackages" {
				continue
			}
			return readMetadata(a) // the compiler refuses a second one
		}
	}
	return meta, nil
}

func sourcesOf(modules []*module) string {
	var names []string
	for _, m := range modules {
		names = append(names, m.source)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}

// linkPassedOn notes which result rules refer to result rules of other packages, directly or not.
func linkPassedOn(all []*policy, compiler *ast.Compiler) {
	if compiler == nil || compiler.Graph == nil {
		return
	}
	type owner struct {
		policy *policy
		rule   *rule
	}
	owners := map[*ast.Rule]owner{}
	for _, p := range all {
		for _, r := range p.rules {
			for _, definition := range compiler.GetRulesExact(p.ref.Append(ast.StringTerm(r.name))) {
				owners[definition] = owner{p, r}
			}
		}
	}
	for definition, of := range owners {
		for _, user := range dependents(compiler.Graph, definition) {
			by, ok := owners[user]
			if ok && by.policy != of.policy && !slices.Contains(of.rule.passedOnBy, by.rule) {
				of.rule.passedOnBy = append(of.rule.passedOnBy, by.rule)
			}
		}
	}
}

// dependents are all rules that depend on r, directly or not.
func dependents(graph *ast.Graph, r *ast.Rule) []*ast.Rule {
	seen := map[util.T]struct{}{r: {}}
	queue := []util.T{r}
	var found []*ast.Rule
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		for user := range graph.Dependents(next) {
			if _, again := seen[user]; again {
				continue
			}
			seen[user] = struct{}{}
			queue = append(queue, user)
			if rule, ok := user.(*ast.Rule); ok {
				found = append(found, rule)
			}
		}
	}
	return found
}
