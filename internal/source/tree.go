package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// Reasons why a path of a tree is not read. They are wrapped in an [*fs.PathError].
var (
	ErrOutside   = errors.New("a symbolic link that leads out of the repository is not followed")
	ErrLoop      = errors.New("too many symbolic links")
	ErrSubmodule = errors.New("a git submodule is not fetched: commit the files themselves")
	ErrLFS       = errors.New("a Git LFS pointer is not resolved: commit the file itself")
	ErrFilter    = errors.New("a .gitattributes filter is not run: commit the file as it is to be read")
)

const maxLinks = 40

// entry is one path of a tree.
type entry struct {
	name string // the last element
	mode fs.FileMode
	id   string
}

// Tree is a commit's tree as a read-only file system after the rules of [io/fs]. Symbolic links
// inside the tree are followed; whatever would need more than reading objects is an error that says so.
// A Tree is valid as long as its repository is open, and may be used concurrently.
type Tree struct {
	id      string
	blobs   *blobs
	entries map[string]entry   // by path; the root is "."
	dirs    map[string][]entry // children by directory, sorted by name
	filters map[string]string  // by path: the filter that .gitattributes names
}

// Tree reads the tree of a commit or a tree object.
func (r *Repository) Tree(ctx context.Context, treeish string) (*Tree, error) {
	id, err := r.TreeID(ctx, treeish)
	if err != nil {
		return nil, err
	}
	out, err := r.git(ctx, "ls-tree", "-r", "-t", "-z", "--full-tree", id)
	if err != nil {
		return nil, fmt.Errorf("list tree %s: %w", short(id), err)
	}
	t := &Tree{id: id, blobs: r.blobs, entries: map[string]entry{}, dirs: map[string][]entry{}}
	t.entries["."] = entry{name: ".", mode: fs.ModeDir, id: id}
	for _, line := range splitZero(out) {
		if err := t.add(line); err != nil {
			return nil, fmt.Errorf("list tree %s: %w", short(id), err)
		}
	}
	for _, children := range t.dirs {
		slices.SortFunc(children, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	}
	if t.filters, err = r.filters(ctx, t); err != nil {
		return nil, err
	}
	return t, nil
}

// add takes one line of ls-tree: "<mode> <type> <id>\t<path>".
func (t *Tree) add(line string) error {
	meta, name, ok := strings.Cut(line, "\t")
	fields := strings.Fields(meta)
	if !ok || len(fields) != 3 {
		return fmt.Errorf("git says %q", line)
	}
	e := entry{name: path.Base(name), id: fields[2], mode: modeOf(fields[0])}
	t.entries[name] = e
	t.dirs[path.Dir(name)] = append(t.dirs[path.Dir(name)], e)
	return nil
}

func modeOf(gitMode string) fs.FileMode {
	switch gitMode {
	case "040000":
		return fs.ModeDir | 0o555
	case "120000":
		return fs.ModeSymlink | 0o444
	case "160000":
		return fs.ModeIrregular | 0o444 // a submodule
	case "100755":
		return 0o555
	default:
		return 0o444
	}
}

// Paths lists every path of the tree that is not a directory, sorted.
func (t *Tree) Paths() []string {
	var paths []string
	for name, e := range t.entries {
		if !e.mode.IsDir() {
			paths = append(paths, name)
		}
	}
	slices.Sort(paths)
	return paths
}

// ID is the git object id at a path, without following a final symbolic link, and empty where
// nothing is there.
func (t *Tree) ID(name string) string { return t.entries[name].id }

// resolve follows the symbolic links of a path and returns where it leads.
func (t *Tree) resolve(op, name string) (string, entry, error) {
	if !fs.ValidPath(name) {
		return "", entry{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	if e, ok := t.entries[name]; ok && e.mode&fs.ModeSymlink == 0 {
		return name, e, nil // git lists no path through a symbolic link
	}
	links := 0
	done, rest := ".", name
	for rest != "" && rest != "." {
		var first string
		first, rest, _ = strings.Cut(rest, "/")
		if first == ".." {
			return "", entry{}, &fs.PathError{Op: op, Path: name, Err: ErrOutside}
		}
		next := path.Join(done, first)
		e, ok := t.entries[next]
		if !ok {
			return "", entry{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
		if e.mode&fs.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", entry{}, &fs.PathError{Op: op, Path: name, Err: ErrLoop}
		}
		target, err := t.blobs.read(e.id)
		if err != nil {
			return "", entry{}, &fs.PathError{Op: op, Path: name, Err: err}
		}
		if path.IsAbs(string(target)) {
			return "", entry{}, &fs.PathError{Op: op, Path: name, Err: ErrOutside}
		}
		rest = path.Join(path.Join(done, string(target)), rest)
		done = "."
	}
	return done, t.entries[done], nil
}

// Lstat describes a path without following a final symbolic link. A submodule has [fs.ModeIrregular].
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	if e, ok := t.entries[name]; ok {
		return info{e, t.blobs}, nil
	}
	dir, _, err := t.resolve("lstat", path.Dir(name))
	if err != nil {
		return nil, err
	}
	e, ok := t.entries[path.Join(dir, path.Base(name))]
	if !ok {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	}
	return info{e, t.blobs}, nil
}

// ReadLink returns where a symbolic link points, as it is written.
func (t *Tree) ReadLink(name string) (string, error) {
	i, err := t.Lstat(name)
	if err != nil {
		return "", err
	}
	e := i.(info).entry
	if e.mode&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := t.blobs.read(e.id)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return string(target), nil
}

// Stat describes the file or directory at a path.
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	_, e, err := t.resolve("stat", name)
	if err != nil {
		return nil, err
	}
	return info{e, t.blobs}, nil
}

// ReadDir lists a directory, sorted by name.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	where, e, err := t.resolve("readdir", name)
	if err != nil {
		return nil, err
	}
	if !e.mode.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	children := t.dirs[where]
	list := make([]fs.DirEntry, len(children))
	for i, child := range children {
		list[i] = fs.FileInfoToDirEntry(info{child, t.blobs})
	}
	return list, nil
}

// ReadFile returns a copy of a file's bytes.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	where, e, err := t.resolve("read", name)
	if err != nil {
		return nil, err
	}
	fail := func(err error) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: name, Err: err} }
	switch {
	case e.mode.IsDir():
		return fail(errors.New("is a directory"))
	case e.mode&fs.ModeIrregular != 0:
		return fail(ErrSubmodule)
	}
	data, err := t.blobs.read(e.id)
	if err != nil {
		return fail(err)
	}
	if bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/")) {
		return fail(ErrLFS)
	}
	if filter := t.filters[where]; filter != "" && filter != "lfs" {
		return fail(fmt.Errorf("filter=%s: %w", filter, ErrFilter))
	}
	return bytes.Clone(data), nil
}

// Open opens a file or a directory.
func (t *Tree) Open(name string) (fs.File, error) {
	_, e, err := t.resolve("open", name)
	if err != nil {
		return nil, err
	}
	if e.mode.IsDir() {
		children, err := t.ReadDir(name)
		if err != nil {
			return nil, err
		}
		return &openDir{info: info{e, t.blobs}, children: children}, nil
	}
	data, err := t.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &openFile{info: info{e, t.blobs}, Reader: bytes.NewReader(data)}, nil
}

// info describes an entry.
type info struct {
	entry
	blobs *blobs
}

func (i info) Name() string       { return i.name }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }

// Size is the file's size in bytes; 0 for what is not a file, or cannot be read: reading it says why.
func (i info) Size() int64 {
	if !i.mode.IsRegular() {
		return 0
	}
	size, err := i.blobs.size(i.id)
	if err != nil {
		return 0
	}
	return size
}

type openFile struct {
	info
	*bytes.Reader
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *openFile) Size() int64                { return f.info.Size() }
func (f *openFile) Close() error               { return nil }

type openDir struct {
	info
	children []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }
func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a directory")}
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		rest := d.children
		d.children = nil
		return rest, nil
	}
	if len(d.children) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.children))
	rest := d.children[:n]
	d.children = d.children[n:]
	return rest, nil
}
