package render

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// view is the worker's view of the request's tree: every directory and file is asked for once, and
// what was looked at is remembered.
type view struct {
	ask     func(frameKind, string) (frame, error)
	budget  int64 // bytes that may still be read
	limit   int64
	dirs    map[string]map[string]entry
	files   map[string]fileState
	looked  map[string]struct{}
	broken  error // the conversation with the pool is over
	refused []*Error
}

type fileState struct {
	data []byte
	err  error
}

// maxLinks is how many symlinks one path may lead through, as on Linux.
const maxLinks = 40

func newView(ask func(frameKind, string) (frame, error), output int64) *view {
	limit := 2*output + 1<<20
	return &view{ask: ask, budget: limit, limit: limit, dirs: map[string]map[string]entry{}, files: map[string]fileState{}, looked: map[string]struct{}{}}
}

// inputs are the paths that were read or looked for, sorted.
func (v *view) inputs() []string { return sortedKeys(v.looked) }

// list is the content of a directory that exists.
func (v *view) list(dir string) (map[string]entry, error) {
	if found, ok := v.dirs[dir]; ok {
		return found, nil
	}
	reply, err := v.question(frameReadDir, dir)
	if err != nil {
		return nil, err
	}
	found, err := decodeEntries(reply)
	if err != nil {
		return nil, err
	}
	v.dirs[dir] = found
	return found, nil
}

// question asks the pool. Its refusal is an error for people.
func (v *view) question(kind frameKind, name string) ([]byte, error) {
	if v.broken != nil {
		return nil, v.broken
	}
	if len(name) > maxPath {
		return nil, fmt.Errorf("the path is longer than %d bytes", maxPath)
	}
	reply, err := v.ask(kind, name)
	if err != nil {
		v.broken = err
		return nil, err
	}
	if reply.kind == frameFailure {
		return nil, errors.New(string(reply.payload))
	}
	return reply.payload, nil
}

// place is where a path leads to.
type place struct {
	real string // without symlinks
	kind entryKind
}

// resolve follows a path from the root of the tree, symlinks included. What does not exist is of
// kind entryAbsent; an error says why what exists must not be followed.
func (v *view) resolve(name string) (place, error) {
	current, kind := ".", entryDir
	rest := splitPath(name)
	for links := 0; len(rest) > 0; {
		head := rest[0]
		if kind != entryDir {
			return v.absent(path.Join(current, path.Join(rest...))), nil
		}
		listing, err := v.list(current)
		if err != nil {
			return place{}, v.refuse(current, err)
		}
		next := path.Join(current, head)
		e, found := listing[head]
		if !found {
			return v.absent(path.Join(current, path.Join(rest...))), nil
		}
		rest = rest[1:]
		if e.Kind != entryLink {
			current, kind = next, e.Kind
			continue
		}
		v.looked[next] = struct{}{}
		if links++; links > maxLinks {
			return place{}, v.refuse(next, fmt.Errorf("the symlink leads through more than %d others, or to itself", maxLinks))
		}
		target, err := linkTarget(next, e.Target)
		if err != nil {
			return place{}, v.refuse(next, err)
		}
		current, kind, rest = ".", entryDir, append(splitPath(target), rest...)
	}
	if kind == entryOther {
		v.looked[current] = struct{}{}
		return place{}, v.refuse(current, errors.New("a submodule or special file, which is never followed: put the files into this repository"))
	}
	return place{real: current, kind: kind}, nil
}

func (v *view) absent(name string) place {
	v.looked[name] = struct{}{}
	return place{real: name, kind: entryAbsent}
}

// linkTarget is the path that the link at name leads to.
func linkTarget(name, target string) (string, error) {
	joined := path.Join(path.Dir(name), target)
	if path.IsAbs(target) || joined == ".." || strings.HasPrefix(joined, "../") {
		return "", fmt.Errorf("the symlink to %q leads out of the repository and is not followed: put the file itself into the repository", target)
	}
	return joined, nil
}

// refuse remembers why something that exists cannot be used: kustomize may look elsewhere next
// and then complain of something else.
func (v *view) refuse(name string, err error) error {
	if v.broken != nil {
		return err
	}
	e := &Error{Class: ClassInput, File: name, Message: err.Error()}
	var own *Error
	if errors.As(err, &own) {
		e = own
	}
	v.refused = append(v.refused, e)
	return e
}

// read is the content of a file, symlinks followed.
func (v *view) read(name string) ([]byte, error) {
	at, err := v.resolve(name)
	if err != nil {
		return nil, err
	}
	switch at.kind {
	case entryAbsent:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case entryDir:
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	state, ok := v.files[at.real]
	if !ok {
		state.data, state.err = v.fetch(at.real)
		v.files[at.real] = state
	}
	return state.data, state.err
}

// fetch reads a file that exists and refuses one that is made to explode.
func (v *view) fetch(name string) ([]byte, error) {
	v.looked[name] = struct{}{}
	data, err := v.question(frameRead, name)
	if err != nil {
		return nil, v.refuse(name, err)
	}
	if v.budget -= int64(len(data)); v.budget < 0 {
		return nil, v.refuse(name, &Error{Class: ClassOutput, File: name, Message: fmt.Sprintf("the application reads more than %s of files, its budget: split the application or raise the output budget", size(v.limit))})
	}
	if isYAMLName(name) {
		if err := checkBounds(name, data); err != nil {
			return nil, v.refuse(name, err)
		}
	}
	return data, nil
}

// kind is what stands at a path, entryAbsent for what must not be followed.
func (v *view) kind(name string) entryKind {
	at, err := v.resolve(name)
	if err != nil {
		return entryAbsent
	}
	return at.kind
}

func splitPath(name string) []string {
	if name = path.Clean(name); name == "." {
		return nil
	}
	return strings.Split(name, "/")
}

// isYAMLName says whether a file of this name may be read as YAML.
func isYAMLName(name string) bool {
	switch path.Ext(name) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return path.Ext(name) == ""
}
