package application

import (
	"path"
	"slices"
)

// chartFile is the file that makes a directory a chart.
const chartFile = "Chart.yaml"

// scope is which files of a directory a node of the graph stands for.
type scope int

const (
	kustomization scope = iota // what its kustomization refers to
	everything                 // all files below
	chart                      // all files below, and the charts that it takes from elsewhere in the tree
	manifests                  // the files of a YAML application
)

// nodeKey names a node of the graph.
type nodeKey struct {
	scope scope
	dir   string
}

// node is what one directory contributes to what an application reads.
type node struct {
	paths map[string]bool // read, or looked for
	next  map[nodeKey]bool
}

func newNode() *node { return &node{paths: map[string]bool{}, next: map[nodeKey]bool{}} }

// graph says what applications of one tree read. A path that is in it may be absent from the tree.
type graph struct {
	*index
	nodes          map[nodeKey]*node
	documents      map[string]document // by object id
	kustomizations map[string][]string // by directory: the files that make it one, symlinks followed
}

func newGraph(x *index) *graph {
	g := &graph{index: x, nodes: map[nodeKey]*node{}, documents: map[string]document{}, kustomizations: map[string][]string{}}
	for _, dir := range x.dirs {
		for _, name := range kustomizationNames() {
			if p := x.resolve(path.Join(dir, name)); p.kind == file {
				g.kustomizations[dir] = append(g.kustomizations[dir], p.path)
			}
		}
	}
	return g
}

// add makes the node and all that it leads to.
func (g *graph) add(key nodeKey) {
	queue := []nodeKey{key}
	for len(queue) > 0 {
		key := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if g.nodes[key] != nil {
			continue
		}
		n := newNode()
		g.nodes[key] = n
		switch key.scope {
		case kustomization:
			g.readKustomization(n, key.dir)
		case everything:
			g.readAll(n, key.dir)
		case chart:
			g.readAll(n, key.dir)
			if p := g.resolve(path.Join(key.dir, chartFile)); p.kind == file {
				g.follow(n, key.dir, g.document(p.path))
			}
		}
		for next := range n.next {
			queue = append(queue, next)
		}
	}
}

// addApplication makes the nodes of an application.
func (g *graph) addApplication(app Application) {
	if app.Type != YAML {
		g.add(app.node())
		return
	}
	n := newNode()
	for _, name := range app.Files {
		g.read(n, g.resolve(name))
	}
	g.nodes[app.node()] = n
}

// read takes a place into what is read.
func (g *graph) read(n *node, p place) {
	for _, name := range p.via {
		n.paths[name] = true
	}
	if p.path == "" || p.kind == directory {
		return
	}
	n.paths[p.path] = true
	if p.kind != file || len(g.attributes) == 0 {
		return
	}
	for dir := path.Dir(p.path); ; dir = path.Dir(dir) {
		if g.attributes[dir] {
			n.paths[path.Join(dir, ".gitattributes")] = true
		}
		if dir == "." {
			return
		}
	}
}

// readAll takes every file below a directory, and what symlinks below it lead to.
func (g *graph) readAll(n *node, dir string) {
	for _, name := range g.children[dir] {
		if g.kinds[name] == directory {
			g.readAll(n, name)
			continue
		}
		p := g.resolve(name)
		g.read(n, p)
		if p.kind == directory {
			n.next[nodeKey{everything, p.path}] = true
		}
	}
}

// readKustomization takes what the kustomization of a directory refers to. The names that a
// kustomization can have are looked for, all of them: a second one breaks the build.
func (g *graph) readKustomization(n *node, dir string) {
	g.readNames(n, dir)
	for _, name := range g.kustomizations[dir] {
		doc := g.document(name)
		g.follow(n, dir, doc)
		for _, plugin := range g.pluginFiles(dir, doc.plugins) {
			g.read(n, place{path: plugin, kind: file})
			g.follow(n, dir, g.document(plugin))
		}
	}
}

func (g *graph) readNames(n *node, dir string) {
	for _, name := range kustomizationNames() {
		g.read(n, g.resolve(path.Join(dir, name)))
	}
}

// follow takes what a document refers to, from a directory.
func (g *graph) follow(n *node, dir string, doc document) {
	if doc.opaque {
		n.next[nodeKey{everything, "."}] = true
	}
	references := doc.references
	if doc.charts {
		references = append([]string{"charts"}, references...)
	}
	for _, reference := range references {
		for _, p := range g.lookup(dir, reference) {
			if p.kind == nothing && !doc.wants(reference) {
				p.path = ""
			}
			g.read(n, p)
			if p.kind == directory {
				g.enter(n, p.path, doc)
			}
		}
	}
}

// enter takes a directory that a document refers to.
func (g *graph) enter(n *node, dir string, doc document) {
	is := len(g.kustomizations[dir]) > 0
	if is {
		n.next[nodeKey{kustomization, dir}] = true
	}
	if g.isChart(dir) {
		n.next[nodeKey{chart, dir}] = true
	} else if !is || doc.charts {
		n.next[nodeKey{everything, dir}] = true
	}
	g.readNames(n, dir)
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
	for len(queue) > 0 {
		r := queue[0]
		queue = queue[1:]
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
	if doc, ok := g.documents[id]; ok && id != "" {
		return doc
	}
	data, err := g.tree.ReadFile(name)
	if err != nil {
		return document{opaque: true} // why it cannot be read is said where it is rendered
	}
	doc := parseDocument(data)
	g.documents[id] = doc
	return doc
}

// reach calls visit with every path that a node and all that it leads to read, some more than once.
func (g *graph) reach(start nodeKey, visit func(name string)) {
	seen := map[nodeKey]bool{start: true}
	queue := []nodeKey{start}
	for len(queue) > 0 {
		n := g.nodes[queue[0]]
		queue = queue[1:]
		if n == nil {
			continue
		}
		for name := range n.paths {
			visit(name)
		}
		for next := range n.next {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
}
