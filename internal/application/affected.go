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
	sides := map[string]*Effect{}
	at := func(name string) *Effect {
		if sides[name] == nil {
			sides[name] = &Effect{}
		}
		return sides[name]
	}
	for i, app := range base.Applications {
		at(app.Name).Base = &base.Applications[i]
	}
	for i, app := range head.Applications {
		at(app.Name).Head = &head.Applications[i]
	}
	for _, c := range []*Catalog{base, head} {
		readers, err := c.graph.readers(ctx, c.Applications, differing)
		if err != nil {
			return nil, fmt.Errorf("find affected applications: %w", err)
		}
		for name, paths := range readers {
			at(name).By = append(at(name).By, paths...)
		}
	}
	var effects []Effect
	for _, name := range slices.Sorted(maps.Keys(sides)) {
		e := *sides[name]
		if e.same() && len(e.By) == 0 {
			continue
		}
		e.By = append(e.By, e.moved()...)
		slices.Sort(e.By)
		e.By = slices.Compact(e.By)
		effects = append(effects, e)
	}
	return effects, nil
}

// same says whether the application is described alike on both sides.
func (e Effect) same() bool { return e.Base != nil && e.Head != nil && e.Base.equal(*e.Head) }

// moved are the files of a YAML application that another one has taken over, or left.
func (e Effect) moved() []string {
	if e.Base == nil || e.Head == nil || e.Base.Type != e.Head.Type {
		return nil
	}
	count := map[string]int{}
	for _, name := range slices.Concat(e.Base.Files, e.Head.Files) {
		count[name]++
	}
	maps.DeleteFunc(count, func(_ string, n int) bool { return n == 2 })
	return slices.Collect(maps.Keys(count))
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
