package application

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// maxEntries bounds a tree: git can store one that unfolds to billions of paths.
const maxEntries = 1 << 20

// maxPath bounds a path: directories can nest without end.
const maxPath = 4096

// maxLinks bounds how many symlinks lead to one path.
const maxLinks = 40

// kind is what is at a path.
type kind int

const (
	nothing kind = iota
	file         // a submodule counts as one: something with an id and nothing to look into
	directory
	link
)

// index is all paths of a tree, so that references are resolved without asking it.
type index struct {
	tree       Tree
	kinds      map[string]kind
	children   map[string][]string // of a directory: paths, sorted by name
	dirs       []string            // parents before children
	links      map[string]string   // symlink to what is written in it
	attributes map[string]bool     // directories that have a .gitattributes file
}

// newIndex walks the tree.
func newIndex(ctx context.Context, tree Tree) (*index, error) {
	x := &index{tree: tree, kinds: map[string]kind{".": directory}, children: map[string][]string{}, links: map[string]string{}, attributes: map[string]bool{}}
	queue := []string{"."}
	for len(queue) > 0 {
		dir := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		x.dirs = append(x.dirs, dir)
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("list the tree: %w", err)
		}
		subdirs, err := x.list(dir)
		if err != nil {
			return nil, fmt.Errorf("list directory %s: %w", dir, err)
		}
		queue = append(queue, subdirs...)
		if len(x.kinds) > maxEntries {
			return nil, fmt.Errorf("list the tree: it has more than %d paths", maxEntries)
		}
	}
	return x, nil
}

// list takes in the entries of one directory and returns the directories among them.
func (x *index) list(dir string) ([]string, error) {
	entries, err := x.tree.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var subdirs []string
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		if len(name) > maxPath {
			return nil, fmt.Errorf("%.64s... is longer than %d bytes", name, maxPath)
		}
		x.children[dir] = append(x.children[dir], name)
		switch {
		case entry.IsDir():
			x.kinds[name] = directory
			subdirs = append(subdirs, name)
		case entry.Type()&fs.ModeSymlink != 0:
			x.kinds[name] = link
			if x.links[name], err = x.tree.ReadLink(name); err != nil {
				return nil, err
			}
		default:
			x.kinds[name] = file
		}
		if entry.Name() == ".gitattributes" {
			x.attributes[dir] = true
		}
	}
	return subdirs, nil
}

// place is where a path leads.
type place struct {
	path string   // no symlink in it; where nothing is, the path at which something was looked for
	kind kind     // nothing, file or directory
	via  []string // the symlinks on the way
}

// outside is where a path out of the tree leads.
func outside(via []string) place { return place{kind: nothing, via: via} }

// absent is where a path to nothing leads.
func absent(name string, via []string) place {
	if name == ".." || strings.HasPrefix(name, "../") {
		return outside(via)
	}
	return place{path: name, kind: nothing, via: via}
}

// resolve follows a path, which may contain symlinks and "..", from the root of the tree.
func (x *index) resolve(name string) place {
	if k := x.kinds[name]; k == file || k == directory {
		return place{path: name, kind: k}
	}
	if x.isMissing(name) {
		return absent(name, nil)
	}
	done, rest := ".", strings.Split(name, "/")
	var via []string
	for len(rest) > 0 {
		segment := rest[0]
		rest = rest[1:]
		switch {
		case segment == "" || segment == ".":
			continue
		case segment == ".." && done == ".":
			return outside(via)
		case segment == "..":
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, segment)
		if x.kinds[next] != link {
			if done = next; x.kinds[done] == nothing {
				return absent(path.Join(done, path.Join(rest...)), via)
			}
			continue
		}
		via = append(via, next)
		target := x.links[next]
		if len(via) > maxLinks || strings.HasPrefix(target, "/") {
			return outside(via)
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return place{path: done, kind: x.kinds[done], via: via}
}

// isMissing says whether a path names nothing in a directory of the tree, as most paths do that are
// tried: there is no symlink to follow then.
func (x *index) isMissing(name string) bool {
	dir, base := path.Split(name)
	switch base {
	case "", ".", "..":
		return false
	}
	return x.kinds[name] == nothing && (dir == "" || x.kinds[dir[:len(dir)-1]] == directory)
}

// lookup is where a reference from a directory may lead. Kustomize cleans a path before it follows
// symlinks, others follow them segment by segment: where that differs, both are meant.
func (x *index) lookup(dir, reference string) []place {
	if strings.HasPrefix(reference, "/") {
		if p := x.resolve(path.Clean(reference)[1:]); p.kind == file {
			return []place{p}
		}
		return nil
	}
	var places []place
	cleaned := path.Join(dir, reference)
	if cleaned != ".." && !strings.HasPrefix(cleaned, "../") {
		places = append(places, x.resolve(cleaned))
	}
	if len(x.links) > 0 && strings.Contains(reference, "..") {
		if p := x.resolve(dir + "/" + reference); len(places) == 0 || p.path != places[0].path {
			places = append(places, p)
		}
	}
	return places
}

// within says whether a path is a directory or in it.
func within(name, dir string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}
