package bare

import (
	"fmt"
	"strconv"
	"strings"
)

// Change is one file that differs between two trees.
type Change struct {
	// Status is GitHub's word: added, removed, modified, renamed, copied or changed (the mode or type only).
	Status    string
	Path      string
	Previous  string
	Blob      string
	Additions int
	Deletions int
	// Patch is the unified diff without its header; empty for binary files.
	Patch string
}

// Names compares two trees or commits with rename detection, without patches and line counts.
func (r *Repo) Names(from, to string) ([]Change, error) {
	raw, err := r.Git(nil, "diff-tree", "-r", "-M", "-z", "--raw", "--no-abbrev", from, to)
	if err != nil {
		return nil, err
	}
	return parseRaw(fields(raw))
}

// Diff compares two trees or commits with rename detection.
func (r *Repo) Diff(from, to string) ([]Change, error) {
	changes, err := r.Names(from, to)
	if err != nil {
		return nil, err
	}
	patch, err := r.Git(nil, "diff-tree", "-r", "-M", "-p", "--no-color", "--no-ext-diff", "--no-textconv", from, to)
	if err != nil {
		return nil, err
	}
	return changes, attachPatches(changes, string(patch))
}

func parseRaw(f []string) ([]Change, error) {
	var changes []Change
	for i := 0; i < len(f); {
		head := strings.Fields(strings.TrimPrefix(f[i], ":"))
		if len(head) != 5 || i+1 >= len(f) {
			return nil, fmt.Errorf("parse git diff: unexpected record %q", f[i])
		}
		c := Change{Status: statusWord(head[4]), Path: f[i+1], Blob: head[3]}
		if c.Status == "removed" {
			c.Blob = head[2]
		}
		i += 2
		if c.Status == "renamed" || c.Status == "copied" {
			c.Previous, c.Path = c.Path, f[i]
			i++
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func statusWord(letter string) string {
	switch letter[0] {
	case 'A':
		return "added"
	case 'D':
		return "removed"
	case 'R':
		return "renamed"
	case 'C':
		return "copied"
	case 'T':
		return "changed"
	default:
		return "modified"
	}
}

// attachPatches splits one patch text into its files, which come in the order of the raw records.
func attachPatches(changes []Change, text string) error {
	parts := strings.Split("\n"+text, "\ndiff --git ")[1:]
	if len(parts) != len(changes) {
		return fmt.Errorf("split patch: %d parts for %d files", len(parts), len(changes))
	}
	for i, part := range parts {
		at := strings.Index(part, "\n@@ ")
		if at < 0 {
			continue
		}
		changes[i].Patch = strings.TrimSuffix(part[at+1:], "\n")
		changes[i].Additions, changes[i].Deletions = countLines(changes[i].Patch)
	}
	return nil
}

func countLines(patch string) (added, removed int) {
	for l := range strings.SplitSeq(patch, "\n") {
		switch {
		case strings.HasPrefix(l, "+"):
			added++
		case strings.HasPrefix(l, "-"):
			removed++
		}
	}
	return added, removed
}

// Entry is one name in a tree.
type Entry struct {
	Mode string
	Type string
	ID   string
	Size int64
	Path string
}

// Tree lists a tree; path narrows it, and recursive descends.
func (r *Repo) Tree(rev, path string, options ...string) ([]Entry, error) {
	args := append([]string{"ls-tree", "-z", "--long", "--full-tree"}, options...)
	args = append(args, rev)
	if path != "" {
		args = append(args, "--", path)
	}
	out, err := r.Git(nil, args...)
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, record := range fields(out) {
		meta, name, ok := strings.Cut(record, "\t")
		f := strings.Fields(meta)
		if !ok || len(f) != 4 {
			return nil, fmt.Errorf("parse git ls-tree: unexpected record %q", record)
		}
		size, err := strconv.ParseInt(f[3], 10, 64)
		if err != nil {
			size = 0 // trees and submodules have no size: git prints "-"
		}
		entries = append(entries, Entry{Mode: f[0], Type: f[1], ID: f[2], Size: size, Path: name})
	}
	return entries, nil
}

// Blob reads one object's content.
func (r *Repo) Blob(id string) ([]byte, error) {
	return r.Git(nil, "cat-file", "blob", id)
}
