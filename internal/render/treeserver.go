package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
)

// treeServer answers a worker's questions from a tree.
type treeServer struct {
	tree  Tree
	limit int64 // bytes of one file
	paths map[string]struct{}
}

// asked are the paths that the worker asked for so far, sorted.
func (s *treeServer) asked() []string { return sortedKeys(s.paths) }

// serve answers one question.
func (s *treeServer) serve(w io.Writer, kind frameKind, payload []byte) error {
	name := string(payload)
	if len(name) > maxPath || !fs.ValidPath(name) {
		return errDisobedient
	}
	if s.paths == nil {
		s.paths = make(map[string]struct{})
	}
	s.paths[name] = struct{}{}
	if kind == frameRead {
		return s.serveFile(w, name)
	}
	entries, err := s.list(name)
	if err != nil {
		return writeFrame(w, frameFailure, []byte(reason(err)))
	}
	return writeJSON(w, frameDir, entries)
}

func (s *treeServer) serveFile(w io.Writer, name string) error {
	info, err := s.tree.Stat(name)
	if err == nil && info.Size() > s.limit {
		err = fmt.Errorf("the file has %s, more than the %s that may be read", size(info.Size()), size(s.limit))
	}
	if err != nil {
		return writeFrame(w, frameFailure, []byte(reason(err)))
	}
	data, err := s.tree.ReadFile(name)
	if err != nil {
		return writeFrame(w, frameFailure, []byte(reason(err)))
	}
	return writeFrame(w, frameFile, data)
}

// list is a directory's content with the targets of its links.
func (s *treeServer) list(name string) ([]entry, error) {
	found, err := s.tree.ReadDir(name)
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(found))
	for _, item := range found {
		e := entry{Name: item.Name(), Kind: kindOf(item.Type())}
		if e.Kind == entryLink {
			if e.Target, err = s.tree.ReadLink(path.Join(name, e.Name)); err != nil {
				return nil, fmt.Errorf("read link %s: %w", path.Join(name, e.Name), err)
			}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func kindOf(mode fs.FileMode) entryKind {
	switch {
	case mode.IsRegular():
		return entryFile
	case mode.IsDir():
		return entryDir
	case mode&fs.ModeSymlink != 0:
		return entryLink
	}
	return entryOther
}

// reason is the error's text without the operation and path that io/fs puts before it.
func reason(err error) string {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err.Error()
	}
	return err.Error()
}

func decodeEntries(payload []byte) (map[string]entry, error) {
	var list []entry
	if err := json.Unmarshal(payload, &list); err != nil {
		return nil, fmt.Errorf("decode listing: %w", err)
	}
	byName := make(map[string]entry, len(list))
	for _, e := range list {
		byName[e.Name] = e
	}
	return byName, nil
}
