package application

import (
	"context"
	"fmt"
	"path"
)

// maxSpent bounds how many references of one tree are followed: a few small files can refer to each
// other in a billion ways.
const maxSpent = 10_000_000

// maxEffects bounds how many causes a change may have over all applications.
const maxEffects = 2_000_000

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
	paths []int // read, or looked for
	next  []int // the nodes that it leads to
	made  bool
}

// graph says what applications of one tree read. A path that is in it may be absent from the tree.
type graph struct {
	*index
	nodes    []node
	nodeIDs  map[nodeKey]int
	names    []string // the paths of all nodes
	nameIDs  map[string]int
	files    map[string][]string // by directory: of YAML applications
	spent    int                 // references followed so far
	parsed   map[string]document // by object id
	manifest map[string]bool     // by object id: whether the file is one
	// inflated are, by directory with charts, the words of each document that inflates charts from it.
	inflated map[string][]map[string]bool
	// kustomizations are, by directory, the files that make it one, symlinks followed.
	kustomizations map[string][]string
}

func newGraph(x *index) *graph {
	g := &graph{
		index: x, nodeIDs: map[nodeKey]int{}, nameIDs: map[string]int{}, files: map[string][]string{},
		parsed: map[string]document{}, manifest: map[string]bool{}, inflated: map[string][]map[string]bool{}, kustomizations: map[string][]string{},
	}
	for _, dir := range x.dirs {
		for _, name := range kustomizationNames() {
			if p := x.resolve(path.Join(dir, name)); p.kind == file {
				g.kustomizations[dir] = append(g.kustomizations[dir], p.path)
			}
		}
	}
	return g
}

// exhausted says whether too much has been followed already.
func (g *graph) exhausted() bool { return g.spent > maxSpent }

// add makes the node and all that it leads to.
func (g *graph) add(ctx context.Context, key nodeKey) error {
	queue := []nodeKey{key}
	for len(queue) > 0 {
		key := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		id := g.nodeID(key)
		if g.nodes[id].made {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		d := g.readNode(key)
		if g.exhausted() {
			return fmt.Errorf("%s: the kustomizations of this tree refer to files and to each other more than %d times", key.dir, maxSpent)
		}
		n := node{made: true}
		for name := range d.paths {
			n.paths = append(n.paths, g.nameID(name))
		}
		for next := range d.next {
			n.next = append(n.next, g.nodeID(next))
			queue = append(queue, next)
		}
		g.nodes[id] = n
	}
	return nil
}

func (g *graph) nodeID(key nodeKey) int {
	id, ok := g.nodeIDs[key]
	if !ok {
		id = len(g.nodes)
		g.nodeIDs[key] = id
		g.nodes = append(g.nodes, node{})
	}
	return id
}

func (g *graph) nameID(name string) int {
	id, ok := g.nameIDs[name]
	if !ok {
		id = len(g.names)
		g.nameIDs[name] = id
		g.names = append(g.names, name)
	}
	return id
}

// pathsOf are the paths that a node itself reads or looks for.
func (g *graph) pathsOf(key nodeKey) []string {
	var paths []string
	for _, id := range g.nodes[g.nodeIDs[key]].paths {
		paths = append(paths, g.names[id])
	}
	return paths
}

// reach calls visit with every path that a node and all that it leads to read, some more than once.
func (g *graph) reach(start nodeKey, visit func(name string)) {
	id, ok := g.nodeIDs[start]
	if !ok {
		return
	}
	seen := make([]bool, len(g.nodes))
	seen[id] = true
	for queue := []int{id}; len(queue) > 0; queue = queue[1:] {
		n := g.nodes[queue[0]]
		for _, name := range n.paths {
			visit(g.names[name])
		}
		for _, next := range n.next {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
}

// readers returns, by application name, the paths of a set that the application reaches. It goes
// backwards from the few nodes that read one of them.
func (g *graph) readers(ctx context.Context, apps []Application, paths map[string]bool) (map[string][]string, error) {
	wanted := make([]bool, len(g.names))
	for name := range paths {
		if id, ok := g.nameIDs[name]; ok {
			wanted[id] = true
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	starts := map[int]string{}
	for _, app := range apps {
		starts[g.nodeIDs[app.node()]] = app.Name
	}
	back := g.backwards()
	found, total := map[string][]string{}, 0
	for id, n := range g.nodes {
		hits := n.hits(g.names, wanted)
		if len(hits) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, reader := range closure(back, id) {
			if name, ok := starts[reader]; ok {
				found[name] = append(found[name], hits...)
				total += len(hits)
			}
		}
		if total > maxEffects {
			return nil, fmt.Errorf("the change has more than %d effects on applications: split it", maxEffects)
		}
	}
	return found, nil
}

// hits are the paths of a node that are wanted.
func (n node) hits(names []string, wanted []bool) []string {
	var hits []string
	for _, id := range n.paths {
		if wanted[id] {
			hits = append(hits, names[id])
		}
	}
	return hits
}

// backwards are the nodes that lead to each node.
func (g *graph) backwards() [][]int {
	back := make([][]int, len(g.nodes))
	for id, n := range g.nodes {
		for _, next := range n.next {
			back[next] = append(back[next], id)
		}
	}
	return back
}

// closure is a node and all that the edges lead to from it.
func closure(edges [][]int, start int) []int {
	seen := make([]bool, len(edges))
	seen[start] = true
	found := []int{start}
	for i := 0; i < len(found); i++ {
		for _, next := range edges[found[i]] {
			if !seen[next] {
				seen[next] = true
				found = append(found, next)
			}
		}
	}
	return found
}
