package application

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Effect is an application that a change affects.
type Effect struct {
	Base, Head *Application // as it is on each side; nil where it is not there
	By         []string     // what it reads, or looks for, and what differs; sorted
}

// Application is the application as it is at head, or at base where head has none.
func (e Effect) Application() Application {
	if e.Head != nil {
		return *e.Head
	}
	return *e.Base
}

// Inputs is every path that an application may read or looks for, with its object id; the id is
// empty where the tree has nothing there.
func (c *Catalog) Inputs(app Application) map[string]string {
	inputs := map[string]string{}
	c.graph.reach(app.node(), func(name string) { inputs[name] = c.graph.tree.ID(name) })
	return inputs
}

// Affected says which applications the difference of two trees affects, sorted by name: those that
// are on one side only, those that are described differently, and those that read a path at which the
// trees differ. It may name one that renders to the same; it leaves out none that does not.
func Affected(ctx context.Context, base, head *Catalog) ([]Effect, error) {
	differing := differences(base.graph.index, head.graph.index)
	dirty := map[nodeKey]bool{}
	for _, c := range []*Catalog{base, head} {
		if err := c.graph.spread(ctx, differing, dirty); err != nil {
			return nil, fmt.Errorf("find affected applications: %w", err)
		}
	}
	sides := map[string]*Effect{}
	at := func(name string) *Effect {
		if sides[name] == nil {
			sides[name] = &Effect{}
		}
		return sides[name]
	}
	for i := range base.Applications {
		at(base.Applications[i].Name).Base = &base.Applications[i]
	}
	for i := range head.Applications {
		at(head.Applications[i].Name).Head = &head.Applications[i]
	}
	var effects []Effect
	for _, name := range slices.Sorted(maps.Keys(sides)) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("find affected applications: %w", err)
		}
		e := *sides[name]
		if e.same() && !dirty[e.Head.node()] {
			continue
		}
		e.By = e.by(base, head, differing)
		if !e.same() || len(e.By) > 0 {
			effects = append(effects, e)
		}
	}
	return effects, nil
}

// same says whether the application is described alike on both sides.
func (e Effect) same() bool { return e.Base != nil && e.Head != nil && e.Base.equal(*e.Head) }

// by is what affects the application.
func (e Effect) by(base, head *Catalog, differing map[string]bool) []string {
	paths := map[string]bool{}
	take := func(name string) {
		if differing[name] {
			paths[name] = true
		}
	}
	if e.Base != nil {
		base.graph.reach(e.Base.node(), take)
	}
	if e.Head != nil {
		head.graph.reach(e.Head.node(), take)
	}
	if e.Base != nil && e.Head != nil { // a file that another application has taken over, or left
		for _, name := range slices.Concat(e.Base.Files, e.Head.Files) {
			if slices.Contains(e.Base.Files, name) != slices.Contains(e.Head.Files, name) {
				paths[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// node is where what the application reads starts in the graph.
func (a Application) node() nodeKey {
	switch a.Type {
	case Kustomize:
		return nodeKey{kustomization, a.Path}
	case Helm:
		return nodeKey{chart, a.Path}
	}
	return nodeKey{manifests, a.Path}
}

// differences are the paths of files and symlinks at which two trees differ.
func differences(a, b *index) map[string]bool {
	paths := map[string]bool{}
	for _, x := range []*index{a, b} {
		for name, k := range x.kinds {
			if k != directory && a.tree.ID(name) != b.tree.ID(name) {
				paths[name] = true
			}
		}
	}
	return paths
}

// spread marks the nodes that read one of the paths, and all that lead to such a node.
func (g *graph) spread(ctx context.Context, paths map[string]bool, marked map[nodeKey]bool) error {
	from := map[nodeKey][]nodeKey{}
	var queue []nodeKey
	for key, n := range g.nodes {
		if err := ctx.Err(); err != nil {
			return err
		}
		for next := range n.next {
			from[next] = append(from[next], key)
		}
		if n.readsAny(paths) {
			queue = append(queue, key)
		}
	}
	done := map[nodeKey]bool{}
	for ; len(queue) > 0; queue = queue[1:] {
		if key := queue[0]; !done[key] {
			done[key], marked[key] = true, true
			queue = append(queue, from[key]...)
		}
	}
	return nil
}

func (n *node) readsAny(paths map[string]bool) bool {
	for name := range n.paths {
		if paths[name] {
			return true
		}
	}
	return false
}
