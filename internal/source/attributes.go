package source

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// filters finds the files for which a .gitattributes file of the tree names a filter, by path.
// git itself matches the patterns, over an index and an empty work tree
// of their own; no filter is run.
func (r *Repository) filters(ctx context.Context, t *Tree) (map[string]string, error) {
	if !t.namesFilter() {
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "mergegate-index-")
	if err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover in the temporary directory harms nobody
	env := append(r.env[:len(r.env):len(r.env)], "GIT_INDEX_FILE="+filepath.Join(dir, "index"), "GIT_DIR="+r.dir, "GIT_WORK_TREE="+dir)
	if _, err := run(ctx, command{dir: dir, env: env, args: []string{"read-tree", t.id}}); err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	paths := strings.Join(t.Paths(), "\x00")
	out, err := run(ctx, command{dir: dir, env: env, args: []string{"check-attr", "--cached", "-z", "--stdin", "filter"}, stdin: []byte(paths)})
	if err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	found := map[string]string{}
	fields := splitZero(out) // path, attribute, value, ...
	for i := 0; i+2 < len(fields); i += 3 {
		if value := fields[i+2]; value != "unspecified" && value != "unset" && value != "set" {
			found[fields[i]] = value
		}
	}
	return found, nil
}

// namesFilter says whether any .gitattributes file of the tree speaks of filters at all. A file
// that cannot be read is taken to.
func (t *Tree) namesFilter() bool {
	for name, e := range t.entries {
		if path.Base(name) != ".gitattributes" || !e.mode.IsRegular() {
			continue
		}
		data, err := t.blobs.read(e.id)
		if err != nil || bytes.Contains(data, []byte("filter")) || bytes.Contains(data, []byte("[attr]")) {
			return true
		}
	}
	return false
}
