package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones are part of the format, also on machines without a database of them

	"go.yaml.in/yaml/v3"
)

// Repository is what `.mergegate.yaml` says. The zero Repository is no configuration at all: every
// root kustomization, chart and manifest directory is an application.
type Repository struct {
	// Applications says which directories are applications; the first entry that matches a
	// directory decides. Empty: they are discovered.
	Applications []Application
	// Exclude names directories that, with all below them, are no applications, however found.
	Exclude      []Glob
	Environments map[string]Environment
	Policy       Policy
	Commands     map[string]Command // by name: plan, rollback, sync
}

// Application makes an application of every directory that its path matches.
type Application struct {
	Path        Glob
	Exclude     []Glob   // directories that, with all below them, are not meant
	Name        Template // empty: the path
	Environment Template // empty: read from the path
	Cluster     Template // empty: the environment's, else read from the path
}

// Environment is a stage of deployment.
type Environment struct {
	Cluster  string
	Clusters []string // instead of Cluster: each gets the same
	After    []string // the environments that come first
	Freeze   []Freeze
}

// Freeze is a time in which nothing is deployed.
type Freeze struct {
	Days     []time.Weekday
	Timezone string // IANA name; empty: UTC
}

// FailOn is the lightest severity of a finding that fails the gate.
type FailOn string

// The values of failOn. The empty value means FailOnDeny.
const (
	FailOnDeny  FailOn = "deny"
	FailOnWarn  FailOn = "warn"
	FailOnNever FailOn = "never"
)

// Policy says which policies are evaluated and what their findings do.
type Policy struct {
	Paths      []string // directories of policies, from the root of the repository
	Data       []string // data files and directories
	Namespaces []string // Rego packages to evaluate; empty: all
	FailOn     FailOn
	Combine    bool     // evaluate per application, all objects at once, as conftest --combine does
	Builtin    *bool    // whether the built-in library is evaluated; nil: where there is no other policy
	Disable    []string // ids of the built-in library that are not evaluated
}

// Command says who may use a slash command and where.
type Command struct {
	Environments []string // empty: all
	Allow        []Actor  // empty: whoever may write
}

// ActorKind is how an actor is named.
type ActorKind string

// The kinds of actors.
const (
	Team       ActorKind = "team"       // a team's slug, or organisation/slug
	User       ActorKind = "user"       // a login
	Permission ActorKind = "permission" // a permission on the repository, or a higher one
)

// Actor is someone, or a group, who may do something.
type Actor struct {
	Kind ActorKind
	Name string
}

// String is the actor as the file names it: team:platform.
func (a Actor) String() string { return string(a.Kind) + ":" + a.Name }

// ParseRepository reads the configuration of a repository. Errors name the file as name and are
// [Problem] values, all of them joined. A file without a document is the zero Repository.
func ParseRepository(name string, data []byte) (Repository, error) {
	d := &decoder{file: name}
	var r Repository
	if root, ok := d.parse(data); ok {
		r = d.repository(root)
	}
	if err := join(name, d.problems); err != nil {
		return Repository{}, err
	}
	return r, nil
}

func (d *decoder) repository(v value) Repository {
	var r Repository
	versioned := false
	d.fields(v, map[string]func(value){
		"apiVersion": func(v value) { versioned = true; d.apiVersion(v) },
		"applications": func(v value) {
			d.sequence(v, func(v value) { r.Applications = append(r.Applications, d.application(v)) })
		},
		"exclude":      func(v value) { r.Exclude = d.globs(v) },
		"environments": func(v value) { r.Environments = d.environments(v) },
		"policy":       func(v value) { r.Policy = d.policy(v) },
		"commands":     func(v value) { r.Commands = d.commands(v) },
	})
	if !versioned && v.Kind == yaml.MappingNode {
		d.fail(value{Node: v.Node, key: "apiVersion"}, "is missing: write `apiVersion: %s`", APIVersion)
	}
	return r
}

func (d *decoder) apiVersion(v value) {
	if s := d.text(v); s != "" && s != APIVersion {
		d.fail(v, "%q is not known to this version of mergegate, it reads %s", s, APIVersion)
	}
}

func (d *decoder) application(v value) Application {
	var a Application
	var sources []string
	var name, environment, cluster value
	later := func(v value) {
		sources = append(sources, v.key[strings.LastIndex(v.key, ".")+1:])
		d.glob(v)
		d.fail(v, "not supported yet: list the directories with `path` instead")
	}
	before := len(d.problems)
	d.fields(v, map[string]func(value){
		"path":        func(v value) { sources = append(sources, "path"); a.Path = d.glob(v) },
		"argocd":      later,
		"flux":        later,
		"exclude":     func(v value) { a.Exclude = d.globs(v) },
		"name":        func(v value) { name = v },
		"environment": func(v value) { environment = v },
		"cluster":     func(v value) { cluster = v },
	})
	switch {
	case len(sources) > 1:
		d.fail(v, "has %s: an entry has one of them", strings.Join(sources, " and "))
	case len(sources) == 0 && before == len(d.problems):
		d.fail(v, "has no path: write `path: DIRECTORY`, where `*` and `**` are wildcards")
	}
	if a.Path.expr != nil {
		a.Name, a.Environment, a.Cluster = d.template(name, a.Path), d.template(environment, a.Path), d.template(cluster, a.Path)
	}
	return a
}

func (d *decoder) glob(v value) Glob {
	s := d.text(v)
	if s == "" {
		return Glob{}
	}
	g, err := ParseGlob(s)
	if err != nil {
		d.fail(v, "%v", err)
	}
	return g
}

func (d *decoder) globs(v value) []Glob {
	var list []Glob
	d.sequence(v, func(v value) { list = append(list, d.glob(v)) })
	return list
}

func (d *decoder) template(v value, g Glob) Template {
	if v.Node == nil {
		return Template{}
	}
	s := d.text(v)
	if s == "" {
		return Template{}
	}
	t, err := ParseTemplate(s, g.Captures())
	if err != nil {
		d.fail(v, "%v", err)
	}
	return t
}

// paths decodes a list of places in the repository.
func (d *decoder) paths(v value) []string {
	var list []string
	d.sequence(v, func(v value) {
		s := d.text(v)
		if s == "" {
			return
		}
		clean, err := cleanPath(s)
		switch {
		case err != nil:
			d.fail(v, "%v", err)
		case slices.Contains(list, clean):
			d.fail(v, "%q is listed twice", s)
		default:
			list = append(list, clean)
		}
	})
	return list
}

func (d *decoder) environments(v value) map[string]Environment {
	all := map[string]Environment{}
	after := map[string]value{}
	d.entries(v, func(name *yaml.Node, v value) {
		var e Environment
		var several value
		d.fields(v, map[string]func(value){
			"cluster":  func(v value) { e.Cluster = d.text(v) },
			"clusters": func(v value) { e.Clusters = d.texts(v); several = v },
			"after":    func(v value) { e.After, after[name.Value] = d.texts(v), v },
			"freeze":   func(v value) { d.sequence(v, func(v value) { e.Freeze = append(e.Freeze, d.freeze(v)) }) },
		})
		if e.Cluster != "" && len(e.Clusters) > 0 {
			d.fail(several, "is given together with cluster: keep one of them")
		}
		all[name.Value] = e
	})
	for _, name := range slices.Sorted(maps.Keys(after)) {
		d.order(after[name], name, all)
	}
	return all
}

// order notes what an environment cannot come after: one that is not listed, or itself by any way.
func (d *decoder) order(v value, name string, all map[string]Environment) {
	for _, first := range all[name].After {
		if _, ok := all[first]; !ok {
			d.fail(v, "%q is no environment of this file%s", first, suggest(first, slices.Collect(maps.Keys(all))))
		}
	}
	seen := map[string]bool{}
	queue := slices.Clone(all[name].After)
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if next == name {
			d.fail(v, "environment %q comes after itself", name)
			return
		}
		if !seen[next] {
			seen[next] = true
			queue = append(queue, all[next].After...)
		}
	}
}

func (d *decoder) freeze(v value) Freeze {
	var f Freeze
	before := len(d.problems)
	d.fields(v, map[string]func(value){
		"days":     func(v value) { d.sequence(v, func(v value) { f.Days = append(f.Days, d.weekday(v)) }) },
		"timezone": func(v value) { f.Timezone = d.timezone(v) },
	})
	if len(f.Days) == 0 && before == len(d.problems) {
		d.fail(v, "has no days: write `days: [Sat, Sun]`")
	}
	return f
}

func (d *decoder) weekday(v value) time.Weekday {
	s := d.text(v)
	for day := time.Sunday; day <= time.Saturday; day++ {
		if strings.EqualFold(s, day.String()) || strings.EqualFold(s, day.String()[:3]) {
			return day
		}
	}
	if s != "" {
		d.fail(v, "%q is no day of the week, write Mon, Tue, Wed, Thu, Fri, Sat or Sun", s)
	}
	return time.Sunday
}

func (d *decoder) timezone(v value) string {
	s := d.text(v)
	if s == "" {
		return ""
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		d.fail(v, "%q is no time zone, write an IANA name such as Europe/Berlin", s)
	}
	return s
}

func (d *decoder) policy(v value) Policy {
	var p Policy
	d.fields(v, map[string]func(value){
		"paths":      func(v value) { p.Paths = d.paths(v) },
		"data":       func(v value) { p.Data = d.paths(v) },
		"namespaces": func(v value) { p.Namespaces = d.texts(v) },
		"failOn":     func(v value) { p.FailOn = FailOn(d.choice(v, "deny", "warn", "never")) },
		"combine":    func(v value) { p.Combine = d.flag(v) },
		"builtin":    func(v value) { p.Builtin, p.Disable = d.builtin(v) },
	})
	return p
}

// builtin decodes `true`, `false` or `{disable: [MG101]}`; the last one implies true.
func (d *decoder) builtin(v value) (*bool, []string) {
	if v.Kind == yaml.ScalarNode {
		on := d.flag(v)
		return &on, nil
	}
	if v.Kind == yaml.SequenceNode {
		d.fail(v, "a list alone does not say what it means: write `builtin: {disable: [...]}`")
		return nil, nil
	}
	on := true
	var ids []string
	d.fields(v, map[string]func(value){"disable": func(v value) { ids = d.texts(v) }})
	return &on, ids
}

func (d *decoder) commands(v value) map[string]Command {
	all := map[string]Command{}
	command := func(v value) {
		var c Command
		d.fields(v, map[string]func(value){
			"environments": func(v value) { c.Environments = d.texts(v) },
			"allow":        func(v value) { d.sequence(v, func(v value) { c.Allow = append(c.Allow, d.actor(v)) }) },
		})
		all[strings.TrimPrefix(v.key, "commands.")] = c
	}
	d.fields(v, map[string]func(value){"plan": command, "rollback": command, "sync": command})
	return all
}

func (d *decoder) actor(v value) Actor {
	s := d.text(v)
	if s == "" {
		return Actor{}
	}
	kind, name, _ := strings.Cut(s, ":")
	a := Actor{Kind: ActorKind(kind), Name: strings.TrimSpace(name)}
	if err := a.validate(); err != nil {
		d.fail(v, "%q: %v", s, err)
	}
	return a
}

func (a Actor) validate() error {
	permissions := []string{"read", "triage", "write", "maintain", "admin"}
	switch {
	case !slices.Contains([]ActorKind{Team, User, Permission}, a.Kind), a.Name == "":
		return errors.New("write team:SLUG, user:LOGIN or permission:LEVEL")
	case a.Kind == Permission && !slices.Contains(permissions, a.Name):
		return fmt.Errorf("%q is no permission%s", a.Name, suggest(a.Name, permissions))
	}
	return nil
}
