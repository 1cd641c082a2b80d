package application

import (
	"path"
	"slices"

	"github.com/mergegate/mergegate/internal/config"
)

// match is the entry of the configuration that decides about a directory.
type match struct {
	entry    config.Application
	captures []string
	index    int
}

// configured finds the applications that the configuration names, and the paths that match none.
func (f *finder) configured() (apps []Application, unmatched []string) {
	matches := map[string]match{}
	used := map[int]bool{}
	for _, dir := range f.dirs {
		if m, ok := f.match(dir); ok {
			matches[dir] = m
		}
	}
	files := f.assign(matches)
	for _, dir := range f.dirs {
		m, ok := matches[dir]
		if !ok {
			continue
		}
		app := Application{Path: dir}
		switch {
		case f.isComponent(dir):
			continue
		case len(f.kustomizations[dir]) > 0:
			app.Type = Kustomize
		case f.charts[dir]:
			app.Type = Helm
		case len(files[dir]) > 0:
			app.Type, app.Files = YAML, files[dir]
		default:
			continue
		}
		used[m.index] = true
		apps = append(apps, f.named(app, m.entry, m.captures))
	}
	for i, entry := range f.cfg.Applications {
		if !used[i] {
			unmatched = append(unmatched, entry.Path.String())
		}
	}
	return apps, unmatched
}

// match finds the entry that decides about a directory.
func (f *finder) match(dir string) (match, bool) {
	if f.excluded(dir) {
		return match{}, false
	}
	for i, entry := range f.cfg.Applications {
		captures, ok := entry.Path.Match(dir)
		if ok && !matchesUnder(entry.Exclude, dir) {
			return match{entry: entry, captures: captures, index: i}, true
		}
	}
	return match{}, false
}

// assign gives every manifest file to the nearest directory above it that is matched, unless there
// is a kustomization or a chart between.
func (f *finder) assign(matches map[string]match) map[string][]string {
	files := map[string][]string{}
	literal := map[string]bool{}
	for dir, m := range matches {
		literal[dir] = m.entry.Path.Literal()
	}
	for _, dir := range f.dirs {
		owner, ok := f.owner(dir, matches)
		if !ok || matchesUnder(matches[owner].entry.Exclude, dir) {
			continue
		}
		own := f.plain[dir]
		if literal[owner] {
			own = f.manifestsIn(dir, nil)
		}
		files[owner] = append(files[owner], own...)
	}
	for _, list := range files {
		slices.Sort(list)
	}
	return files
}

// owner is the nearest matched directory that a directory is in.
func (f *finder) owner(dir string, matches map[string]match) (string, bool) {
	for {
		if len(f.kustomizations[dir]) > 0 || f.charts[dir] || f.excluded(dir) {
			return "", false
		}
		if _, ok := matches[dir]; ok {
			return dir, true
		}
		if dir == "." {
			return "", false
		}
		dir = path.Dir(dir)
	}
}
