package application

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/config"
)

// TestAffectedCoversCorpus checks recorded changes of real repositories, where MERGEGATE_CORPUS names
// a folder of them: NAME.bundle is a repository, expected/NAME/*.json what each change does to its
// applications. Every application whose inputs or output changed must be found. MERGEGATE_CORPUS_PAIRS
// is how many pairs of each repository to take (default: 5; 0: all).
func TestAffectedCoversCorpus(t *testing.T) {
	folder := os.Getenv("MERGEGATE_CORPUS")
	if folder == "" {
		t.Log("MERGEGATE_CORPUS names no corpus: nothing to check")
		return
	}
	bundles, err := filepath.Glob(filepath.Join(folder, "*.bundle"))
	if err != nil || len(bundles) == 0 {
		t.Fatalf("no bundle in %s: %v", folder, err)
	}
	for _, bundle := range bundles {
		name := strings.TrimSuffix(filepath.Base(bundle), ".bundle")
		t.Run(name, func(t *testing.T) {
			repo := t.TempDir()
			git(t, repo, "init", "--quiet", "--bare")
			git(t, repo, "fetch", "--quiet", bundle, "+refs/*:refs/*")
			pairs, err := filepath.Glob(filepath.Join(folder, "expected", name, "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(cmp.Or(os.Getenv("MERGEGATE_CORPUS_PAIRS"), "5"))
			if err != nil {
				t.Fatal(err)
			}
			for i, pair := range pairs {
				if n > 0 && i%max(1, len(pairs)/n) != 0 {
					continue
				}
				t.Run(strings.TrimSuffix(filepath.Base(pair), ".json"), func(t *testing.T) { checkPair(t, repo, pair) })
			}
		})
	}
}

type corpusPair struct {
	Base, Head, Merge string
	Roots             struct{ Base, Head int }
	Applications      map[string]struct {
		Head      string
		Root      *bool
		Component bool
	}
}

func checkPair(t *testing.T, repo, file string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var pair corpusPair
	if err := json.Unmarshal(data, &pair); err != nil {
		t.Fatal(err)
	}
	if pair.Merge != "" {
		pair.Head = pair.Merge
	}
	base, head := openGitTree(t, repo, pair.Base), openGitTree(t, repo, pair.Head)
	all, err := config.ParseRepository("all", []byte("apiVersion: mergegate/v1\napplications: [{path: '**'}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	found, plain := map[string]bool{}, 0
	for _, e := range affectedBetween(t, base, head, all) {
		found[e.Application().Path] = true
		if e.Application().Type == YAML {
			plain++
		}
	}
	took := time.Since(start)
	expected := 0
	for dir, app := range pair.Applications {
		if app.Root == nil || app.Component {
			continue // of another type, or never built on its own
		}
		expected++
		if !found[dir] {
			t.Errorf("missed: %s", dir)
		}
	}
	t.Logf("expected %d, found %d (%d of plain manifests), in %s", expected, len(found), plain, took)
	if pair.Merge == "" { // else the roots are recorded of the unmerged head
		checkRoots(t, head, pair)
	}
}

// checkRoots compares what is discovered at head without configuration with what is recorded.
func checkRoots(t *testing.T, head *gitTree, pair corpusPair) {
	catalog, err := Discover(t.Context(), head, config.Repository{})
	if err != nil {
		t.Fatal(err)
	}
	roots := map[string]bool{}
	for _, app := range catalog.Applications {
		if app.Type == Kustomize {
			roots[app.Path] = true
		}
	}
	components := 0 // the recorded number counts those that nothing includes
	for dir := range catalog.graph.kustomizations {
		if catalog.graph.isComponent(dir) {
			components++
		}
	}
	if len(roots) > pair.Roots.Head || len(roots)+components < pair.Roots.Head {
		t.Errorf("found %d roots, recorded are %d", len(roots), pair.Roots.Head)
	}
	for dir, app := range pair.Applications {
		if app.Root != nil && !app.Component && app.Head != "absent" && *app.Root != roots[dir] {
			t.Errorf("%s: root %v, recorded %v", dir, roots[dir], *app.Root)
		}
	}
}

func affectedBetween(t *testing.T, base, head Tree, cfg config.Repository) []Effect {
	t.Helper()
	var catalogs []*Catalog
	for _, tree := range []Tree{base, head} {
		catalog, err := Discover(t.Context(), tree, cfg)
		if err != nil {
			t.Fatal(err)
		}
		catalogs = append(catalogs, catalog)
	}
	effects, err := Affected(t.Context(), catalogs[0], catalogs[1])
	if err != nil {
		t.Fatal(err)
	}
	return effects
}

func git(t testing.TB, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return out
}

// gitTree is the tree of a commit, all of it in memory.
type gitTree struct {
	ids      map[string]string
	modes    map[string]fs.FileMode
	children map[string][]fs.DirEntry
	blobs    map[string][]byte
}

func openGitTree(t testing.TB, repo, commit string) *gitTree {
	t.Helper()
	tree := &gitTree{ids: map[string]string{}, modes: map[string]fs.FileMode{}, children: map[string][]fs.DirEntry{}, blobs: map[string][]byte{}}
	var wanted strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(string(git(t, repo, "ls-tree", "-r", "-t", "-z", commit)), "\x00"), "\x00") {
		meta, name, _ := strings.Cut(line, "\t")
		fields := strings.Fields(meta)
		tree.ids[name] = fields[2]
		tree.modes[name] = map[string]fs.FileMode{"040000": fs.ModeDir, "120000": fs.ModeSymlink, "160000": fs.ModeIrregular}[fields[0]]
		tree.children[path.Dir(name)] = append(tree.children[path.Dir(name)], gitEntry{path.Base(name), tree.modes[name]})
		if fields[1] == "blob" {
			fmt.Fprintln(&wanted, fields[2])
		}
	}
	tree.readBlobs(t, repo, wanted.String())
	return tree
}

func (g *gitTree) readBlobs(t testing.TB, repo, ids string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "cat-file", "--batch")
	cmd.Dir, cmd.Stdin = repo, strings.NewReader(ids)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(pipe)
	for {
		header, err := out.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		fields := strings.Fields(header)
		if err != nil || len(fields) != 3 {
			t.Fatalf("cat-file: %q: %v", header, err)
		}
		size, err := strconv.Atoi(fields[2])
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, size+1)
		if _, err := io.ReadFull(out, data); err != nil {
			t.Fatal(err)
		}
		g.blobs[fields[0]] = data[:size]
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func (g *gitTree) ReadDir(name string) ([]fs.DirEntry, error) { return g.children[name], nil }
func (g *gitTree) ID(name string) string                      { return g.ids[name] }

func (g *gitTree) ReadFile(name string) ([]byte, error) {
	if data, ok := g.blobs[g.ids[name]]; ok && g.modes[name] == 0 {
		return data, nil
	}
	return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
}

func (g *gitTree) ReadLink(name string) (string, error) { return string(g.blobs[g.ids[name]]), nil }

type gitEntry struct {
	name string
	mode fs.FileMode
}

func (e gitEntry) Name() string               { return e.name }
func (e gitEntry) IsDir() bool                { return e.mode.IsDir() }
func (e gitEntry) Type() fs.FileMode          { return e.mode.Type() }
func (e gitEntry) Info() (fs.FileInfo, error) { return nil, fs.ErrInvalid }
