package render

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// root is where the tree stands for kustomize. It is a directory below "/", so that a path that
// leaves the repository is seen as such, and it never shows in an error.
const root = "/(repository)"

// fileSystem is a view as kustomize wants it: absolute paths, nothing can be written.
type fileSystem struct{ view *view }

var _ filesys.FileSystem = fileSystem{}

var errReadOnly = errors.New("nothing can be written while rendering")

// inTree is the path in the tree of a path of kustomize.
func inTree(name string) (string, bool) {
	name = path.Clean(name)
	if name == root {
		return ".", true
	}
	return strings.CutPrefix(name, root+"/")
}

func absolute(name string) string { return path.Join(root, name) }

func (f fileSystem) resolve(name string) (place, error) {
	inside, ok := inTree(name)
	if !ok {
		return place{kind: entryAbsent}, nil
	}
	return f.view.resolve(inside)
}

// CleanedAbs resolves symlinks and splits a path into its directory and file.
func (f fileSystem) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	at, err := f.resolve(name)
	if err != nil {
		return "", "", err
	}
	switch at.kind {
	case entryAbsent:
		return "", "", &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	case entryDir:
		return filesys.ConfirmedDir(absolute(at.real)), "", nil
	}
	return filesys.ConfirmedDir(absolute(path.Dir(at.real))), path.Base(at.real), nil
}

// ReadFile reads a file, symlinks followed.
func (f fileSystem) ReadFile(name string) ([]byte, error) {
	inside, ok := inTree(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.view.read(inside)
}

// Exists says whether anything is there.
func (f fileSystem) Exists(name string) bool {
	at, err := f.resolve(name)
	return err == nil && at.kind != entryAbsent
}

// IsDir says whether a directory is there.
func (f fileSystem) IsDir(name string) bool {
	at, err := f.resolve(name)
	return err == nil && at.kind == entryDir
}

// ReadDir lists the names of a directory.
func (f fileSystem) ReadDir(name string) ([]string, error) {
	at, err := f.resolve(name)
	if err != nil {
		return nil, err
	}
	if at.kind != entryDir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	f.view.looked[at.real] = struct{}{}
	listing, err := f.view.list(at.real)
	if err != nil {
		return nil, err
	}
	return sortedKeys(listing), nil
}

// Open, Glob, Walk and all that writes are not part of a build.
func (f fileSystem) Open(string) (filesys.File, error)    { return nil, errReadOnly }
func (f fileSystem) Create(string) (filesys.File, error)  { return nil, errReadOnly }
func (f fileSystem) Mkdir(string) error                   { return errReadOnly }
func (f fileSystem) MkdirAll(string) error                { return errReadOnly }
func (f fileSystem) RemoveAll(string) error               { return errReadOnly }
func (f fileSystem) WriteFile(string, []byte) error       { return errReadOnly }
func (f fileSystem) Glob(string) ([]string, error)        { return nil, errReadOnly }
func (f fileSystem) Walk(string, filepath.WalkFunc) error { return errReadOnly }
