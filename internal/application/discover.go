package application

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/config"
)

// Discover says what is deployable in a tree.
//
// Without configured applications these are
//   - every root kustomization: a directory whose kustomization no other one includes, Components
//     excepted. Of kustomizations that include each other in a circle, the first is one: its build
//     fails, and that is to be seen;
//   - every chart that is not part of another chart and not inflated by a kustomization;
//   - every directory with manifest files that belong to none of these. Manifest directories below
//     it are part of it, unless there is a kustomization or a chart somewhere below it, or their
//     path names another environment or cluster: then each is an application of its own. Directories
//     whose name starts with a dot are left out, and policies in policy/, policies/ and where the
//     configuration says.
//
// With configured applications, every directory that an entry's path matches is one, also where
// another kustomization includes it: a kustomization that is no Component, a chart that is not part
// of another one, or the manifest files in it and below it, down to the next directory that is an
// application. A path without wildcards names its directory as it is: the manifest files in it are
// an application even if a kustomization reads them. The first entry that matches decides.
//
// Two applications of the same name are an error.
func Discover(ctx context.Context, tree Tree, cfg config.Repository) (*Catalog, error) {
	x, err := newIndex(ctx, tree)
	if err != nil {
		return nil, err
	}
	f := &finder{graph: newGraph(x), cfg: cfg}
	if err := f.survey(ctx); err != nil {
		return nil, fmt.Errorf("discover applications: %w", err)
	}
	catalog := &Catalog{graph: f.graph}
	if len(cfg.Applications) == 0 {
		catalog.Applications = f.unconfigured()
	} else {
		catalog.Applications, catalog.Unmatched = f.configured()
	}
	slices.SortFunc(catalog.Applications, func(a, b Application) int {
		return strings.Compare(a.Name+"\x00"+a.Path, b.Name+"\x00"+b.Path)
	})
	if err := checkNames(catalog.Applications); err != nil {
		return nil, fmt.Errorf("discover applications: %w", err)
	}
	for _, app := range catalog.Applications {
		f.files[app.Path] = app.Files
		if err := f.add(ctx, app.node()); err != nil {
			return nil, fmt.Errorf("discover applications: %w", err)
		}
	}
	return catalog, nil
}

// checkNames takes sorted applications.
func checkNames(apps []Application) error {
	var errs []error
	for i, app := range apps {
		if app.Name == "" {
			errs = append(errs, fmt.Errorf("the application at %s has an empty name, give its entry another `name`", app.Path))
		} else if i > 0 && apps[i-1].Name == app.Name {
			errs = append(errs, fmt.Errorf("the applications at %s and %s are both named %q, give their entry a `name` that tells them apart", apps[i-1].Path, app.Path, app.Name))
		}
	}
	return errors.Join(errs...)
}

// finder finds the applications of one tree.
type finder struct {
	*graph
	cfg    config.Repository
	charts map[string]bool     // directories of charts that are not part of another chart
	mixed  map[string]bool     // directories with a kustomization or a chart in them or below
	plain  map[string][]string // by directory: manifest files that no kustomization and no chart covers
}

// survey finds what is in the tree, whatever becomes an application.
func (f *finder) survey(ctx context.Context) error {
	f.charts, f.mixed, f.plain = map[string]bool{}, map[string]bool{}, map[string][]string{}
	for _, dir := range f.dirs {
		if f.isChart(dir) && !f.inChart(dir) {
			f.charts[dir] = true
		}
	}
	covered := map[string]bool{}
	for _, dir := range slices.Sorted(maps.Keys(f.kustomizations)) {
		key := nodeKey{kustomization, dir}
		if err := f.add(ctx, key); err != nil {
			return err
		}
		for _, name := range f.pathsOf(key) {
			covered[name] = true
		}
	}
	for _, dirs := range []map[string]bool{f.charts, keys(f.kustomizations)} {
		for dir := range dirs {
			for ; !f.mixed[dir]; dir = path.Dir(dir) {
				f.mixed[dir] = true
			}
		}
	}
	for _, dir := range f.dirs {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.mayBePlain(dir) {
			f.plain[dir] = f.manifestsIn(dir, covered)
		}
	}
	maps.DeleteFunc(f.plain, func(_ string, files []string) bool { return len(files) == 0 })
	return nil
}

func keys[V any](m map[string]V) map[string]bool {
	set := map[string]bool{}
	for key := range m {
		set[key] = true
	}
	return set
}

// inChart says whether a directory is below a chart.
func (f *finder) inChart(dir string) bool {
	for dir != "." {
		if dir = path.Dir(dir); f.charts[dir] {
			return true
		}
	}
	return false
}

// mayBePlain says whether manifest files in a directory are to be looked for.
func (f *finder) mayBePlain(dir string) bool {
	switch {
	case len(f.kustomizations[dir]) > 0, f.charts[dir], f.inChart(dir), strings.HasPrefix(dir, "."), strings.Contains(dir, "/."):
		return dir == "." && len(f.kustomizations[dir]) == 0 && !f.charts[dir]
	}
	for _, policies := range append([]string{"policy", "policies"}, f.cfg.Policy.Paths...) {
		if within(dir, policies) {
			return false
		}
	}
	return true
}

func (f *finder) manifestsIn(dir string, covered map[string]bool) []string {
	var files []string
	for _, name := range f.children[dir] {
		if !covered[name] && f.hasManifest(name) {
			files = append(files, name)
		}
	}
	return files
}

// excluded says whether the configuration leaves a directory out.
func (f *finder) excluded(dir string) bool { return matchesUnder(f.cfg.Exclude, dir) }

func matchesUnder(globs []config.Glob, dir string) bool {
	return slices.ContainsFunc(globs, func(g config.Glob) bool { return g.MatchUnder(dir) })
}

// unconfigured finds applications where none are configured.
func (f *finder) unconfigured() []Application {
	var apps []Application
	for _, dir := range f.roots() {
		apps = append(apps, Application{Path: dir, Type: Kustomize})
	}
	for dir := range f.charts {
		if len(f.kustomizations[dir]) == 0 && !f.isInflated(dir) {
			apps = append(apps, Application{Path: dir, Type: Helm})
		}
	}
	groups := map[string][]string{}
	for dir, files := range f.plain {
		if !f.excluded(dir) {
			top := f.topmost(dir)
			groups[top] = append(groups[top], files...)
		}
	}
	for dir, files := range groups {
		slices.Sort(files)
		apps = append(apps, Application{Path: dir, Type: YAML, Files: files})
	}
	apps = slices.DeleteFunc(apps, func(a Application) bool { return f.excluded(a.Path) })
	for i := range apps {
		apps[i] = f.named(apps[i], config.Application{}, nil)
	}
	return apps
}

// roots are the kustomizations that no other one includes, and one of each circle.
func (f *finder) roots() []string {
	included := map[string][]string{}
	hasParent := map[string]bool{}
	for dir := range f.kustomizations {
		for _, entry := range f.includes(dir) {
			for _, p := range f.lookup(dir, entry) {
				if p.kind == directory && p.path != dir {
					included[dir] = append(included[dir], p.path)
					hasParent[p.path] = true
				}
			}
		}
	}
	reached := map[string]bool{}
	var reach func(dir string)
	reach = func(dir string) {
		for queue := []string{dir}; len(queue) > 0; queue = queue[1:] {
			if !reached[queue[0]] {
				reached[queue[0]] = true
				queue = append(queue, included[queue[0]]...)
			}
		}
	}
	var roots []string
	sorted := slices.Sorted(maps.Keys(f.kustomizations))
	take := func(dir string) {
		reach(dir)
		if !f.isComponent(dir) {
			roots = append(roots, dir)
		}
	}
	for _, dir := range sorted {
		if !hasParent[dir] {
			take(dir)
		}
	}
	for _, dir := range sorted {
		if !reached[dir] {
			take(dir)
		}
	}
	return roots
}

// isInflated says whether a kustomization names the chart in a directory, which is HOME/NAME or
// HOME/NAME-VERSION/NAME.
func (f *finder) isInflated(dir string) bool {
	home, name := path.Dir(dir), path.Base(dir)
	for _, words := range slices.Concat(f.inflated[home], f.inflated[path.Dir(home)]) {
		if words[name] {
			return true
		}
	}
	return false
}

// topmost is the directory of the application that a manifest directory is part of.
func (f *finder) topmost(dir string) string {
	top, place := dir, placementOf(dir)
	for up := dir; up != "."; {
		up = path.Dir(up)
		if f.mixed[up] {
			break
		}
		if len(f.plain[up]) > 0 && !f.excluded(up) && placementOf(up) == place {
			top = up
		}
	}
	return top
}

// named fills in name, environment and cluster.
func (f *finder) named(app Application, entry config.Application, captures []string) Application {
	place := placementOf(app.Path)
	app.Name = app.Path
	if entry.Name.String() != "" {
		app.Name = entry.Name.Expand(app.Path, captures)
	}
	app.Environment = place.environment
	if entry.Environment.String() != "" {
		app.Environment = entry.Environment.Expand(app.Path, captures)
	}
	app.Cluster = place.cluster
	environment := f.cfg.Environments[app.Environment]
	if environment.Cluster != "" {
		app.Cluster = environment.Cluster
	}
	switch {
	case entry.Cluster.String() != "":
		app.Cluster = entry.Cluster.Expand(app.Path, captures)
	case len(environment.Clusters) > 0:
		app.Cluster, app.Clusters = "", environment.Clusters
	}
	return app
}
