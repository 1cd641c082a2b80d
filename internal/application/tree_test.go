package application

import (
	"crypto/sha1"
	"encoding/hex"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mergegate/mergegate/internal/config"
)

// memTree is a tree in memory whose ids are hashes of the content.
type memTree struct{ fstest.MapFS }

// files is a tree as text: content by path, "-> TARGET" is a symlink.
type files map[string]string

func (f files) tree() memTree {
	m := fstest.MapFS{}
	for name, content := range f {
		mode := fs.FileMode(0o644)
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			mode, content = fs.ModeSymlink, target
		}
		m[name] = &fstest.MapFile{Data: []byte(content), Mode: mode}
	}
	return memTree{m}
}

// with is the tree after a change; the content "gone" removes a path.
func (f files) with(change files) files {
	after := maps.Clone(f)
	maps.Copy(after, change)
	maps.DeleteFunc(after, func(_, content string) bool { return content == "gone" })
	return after
}

func (m memTree) ID(name string) string {
	h := sha1.New()
	if f, ok := m.MapFS[name]; ok {
		h.Write([]byte(f.Mode.String()))
		h.Write(f.Data)
		return hex.EncodeToString(h.Sum(nil))
	}
	var below []string
	for file := range m.MapFS {
		if within(file, name) {
			below = append(below, file)
		}
	}
	if len(below) == 0 {
		return ""
	}
	slices.Sort(below)
	for _, file := range below {
		h.Write([]byte(file + m.ID(file)))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// configuration parses the keys of a repository configuration.
func configuration(t *testing.T, keys string) config.Repository {
	t.Helper()
	if keys == "" {
		return config.Repository{}
	}
	cfg, err := config.ParseRepository(config.RepositoryFile, []byte("apiVersion: mergegate/v1\n"+keys))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// describe is an application on one line: type name, what differs from the name, and its files.
func describe(a Application) string {
	s := a.Type + " " + a.Name
	if a.Path != a.Name {
		s += " at " + a.Path
	}
	if a.Environment != "" {
		s += " env=" + a.Environment
	}
	if a.Cluster != "" {
		s += " cluster=" + a.Cluster
	}
	if len(a.Files) > 0 {
		s += " [" + strings.Join(a.Files, " ") + "]"
	}
	return s
}

func describeAll(apps []Application) []string {
	var lines []string
	for _, a := range apps {
		lines = append(lines, describe(a))
	}
	return lines
}

const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"

// kust is a kustomization with these resources.
func kust(resources ...string) string {
	return "resources:\n- " + strings.Join(resources, "\n- ") + "\n"
}
