package application

import (
	"path"
	"slices"
)

// chartFile is the file that makes a directory a chart.
const chartFile = "Chart.yaml"

// draft is a node that is being made.
type draft struct {
	paths map[string]bool
	next  map[nodeKey]bool
}

// readNode finds what a node stands for.
func (g *graph) readNode(key nodeKey) *draft {
	d := &draft{paths: map[string]bool{}, next: map[nodeKey]bool{}}
	switch key.scope {
	case kustomization:
		g.readKustomization(d, key.dir)
	case everything:
		g.readAll(d, key.dir)
	case chart:
		g.readAll(d, key.dir)
		if p := g.resolve(path.Join(key.dir, chartFile)); p.kind == file {
			g.follow(d, key.dir, g.document(p.path))
		}
	case manifests:
		for _, name := range g.files[key.dir] {
			g.read(d, g.resolve(name))
		}
	}
	return d
}

// read takes a place into what is read.
func (g *graph) read(d *draft, p place) {
	g.spent++
	for _, name := range p.via {
		d.paths[name] = true
	}
	if p.path == "" || p.kind == directory {
		return
	}
	d.paths[p.path] = true
	if p.kind != file || len(g.attributes) == 0 {
		return
	}
	for dir := path.Dir(p.path); ; dir = path.Dir(dir) {
		if g.attributes[dir] {
			d.paths[path.Join(dir, ".gitattributes")] = true
		}
		if dir == "." {
			return
		}
	}
}

// readAll takes every file below a directory, and what symlinks below it lead to.
func (g *graph) readAll(d *draft, dir string) {
	for _, name := range g.children[dir] {
		if g.exhausted() {
			return
		}
		if g.kinds[name] == directory {
			g.readAll(d, name)
			continue
		}
		p := g.resolve(name)
		g.read(d, p)
		if p.kind == directory {
			d.next[nodeKey{everything, p.path}] = true
		}
	}
}

// readKustomization takes what the kustomization of a directory refers to. The names that a
// kustomization can have are looked for, all of them: a second one breaks the build.
func (g *graph) readKustomization(d *draft, dir string) {
	g.readNames(d, dir)
	for _, name := range g.kustomizations[dir] {
		doc := g.document(name)
		g.follow(d, dir, doc)
		for _, plugin := range g.pluginFiles(dir, doc.plugins) {
			g.read(d, place{path: plugin, kind: file})
			g.follow(d, dir, g.document(plugin))
		}
	}
}

func (g *graph) readNames(d *draft, dir string) {
	for _, name := range kustomizationNames() {
		g.read(d, g.resolve(path.Join(dir, name)))
	}
}

// follow takes what a document refers to, from a directory.
func (g *graph) follow(d *draft, dir string, doc document) {
	if doc.opaque {
		d.next[nodeKey{everything, "."}] = true
	}
	references := doc.references
	if doc.inflates {
		references = append([]string{"charts"}, references...)
	}
	for _, reference := range references {
		if g.exhausted() {
			return
		}
		for _, p := range g.lookup(dir, reference) {
			if p.kind == nothing && !doc.wants(reference) {
				p.path = ""
			}
			g.read(d, p)
			if p.kind == directory {
				g.enter(d, p.path, doc)
			}
		}
	}
}

// enter takes a directory that a document refers to.
func (g *graph) enter(d *draft, dir string, doc document) {
	is := len(g.kustomizations[dir]) > 0
	if is {
		d.next[nodeKey{kustomization, dir}] = true
	}
	if doc.inflates {
		g.inflated[dir] = append(g.inflated[dir], doc.words)
	}
	if g.isChart(dir) {
		d.next[nodeKey{chart, dir}] = true
	} else if !is || doc.inflates {
		d.next[nodeKey{everything, dir}] = true
	}
	g.readNames(d, dir)
}

// pluginFiles are the files to which entries lead, through kustomizations too: the configurations of
// plugins, whose references start at the directory that uses them, wherever they are.
func (g *graph) pluginFiles(dir string, entries []string) []string {
	type reference struct{ dir, text string }
	var queue []reference
	var files []string
	seen := map[string]bool{}
	for _, entry := range entries {
		queue = append(queue, reference{dir, entry})
	}
	for len(queue) > 0 && !g.exhausted() {
		r := queue[0]
		queue = queue[1:]
		g.spent++
		for _, p := range g.lookup(r.dir, r.text) {
			if p.kind == nothing || seen[p.path] {
				continue
			}
			seen[p.path] = true
			if p.kind == file {
				files = append(files, p.path)
				continue
			}
			for _, text := range g.includes(p.path) {
				queue = append(queue, reference{p.path, text})
			}
		}
	}
	return files
}

// includes are the entries of a directory's kustomization that make up what it builds.
func (g *graph) includes(dir string) []string {
	var all []string
	for _, name := range g.kustomizations[dir] {
		all = append(all, g.document(name).includes...)
	}
	return all
}

// isComponent says whether a directory's kustomization is a Component.
func (g *graph) isComponent(dir string) bool {
	return slices.ContainsFunc(g.kustomizations[dir], func(name string) bool { return g.document(name).component })
}

// isChart says whether a directory has a chart.
func (g *graph) isChart(dir string) bool {
	return g.resolve(path.Join(dir, chartFile)).kind == file
}

// document parses a file once. One that cannot be read may refer to anything.
func (g *graph) document(name string) document {
	id := g.tree.ID(name)
	if doc, ok := g.parsed[id]; ok && id != "" {
		return doc
	}
	data, err := g.tree.ReadFile(name)
	if err != nil {
		return document{opaque: true} // why it cannot be read is said where it is rendered
	}
	doc := parseDocument(data)
	g.parsed[id] = doc
	return doc
}
