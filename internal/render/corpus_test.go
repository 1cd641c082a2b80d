package render

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/mergegate/mergegate/internal/manifest"
)

// corpusPair is one recorded change of a real repository: what stock kustomize made of both sides.
type corpusPair struct {
	Base, Head, Merge string
	Applications      map[string]struct {
		Base, Head                string
		Created, Updated, Deleted []string
		Root                      *bool
		Component                 bool
	}
}

// TestCorpus renders both sides of recorded changes and compares. MERGEGATE_CORPUS names a folder
// of NAME.bundle and expected/NAME/*.json, MERGEGATE_CORPUS_PAIRS how many pairs of each repository
// to take (default: 3; 0: all). Without a corpus there are no pairs to compare.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("MERGEGATE_CORPUS")
	if dir == "" {
		t.Log("MERGEGATE_CORPUS is not set: zero pairs compared")
		return
	}
	bundles, err := filepath.Glob(filepath.Join(dir, "*.bundle"))
	if err != nil || len(bundles) == 0 {
		t.Fatalf("no bundles in %s: %v", dir, err)
	}
	pool := newPool(t, Config{})
	for _, bundle := range bundles {
		name := strings.TrimSuffix(filepath.Base(bundle), ".bundle")
		repo := t.TempDir()
		git(t, repo, "init", "-q", "--bare", ".")
		git(t, repo, "fetch", "-q", bundle, "+refs/*:refs/*")
		files, err := filepath.Glob(filepath.Join(dir, "expected", name, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(cmp.Or(os.Getenv("MERGEGATE_CORPUS_PAIRS"), "3"))
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && n < len(files) {
			step := len(files) / n
			var some []string
			for i := 0; i < len(files); i += step {
				some = append(some, files[i])
			}
			files = some
		}
		for _, file := range files {
			t.Run(name+"/"+filepath.Base(file), func(t *testing.T) { comparePair(t, pool, repo, file) })
		}
	}
}

func git(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return out
}

func comparePair(t *testing.T, pool *Pool, repo, file string) {
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
	base, head := gitTree(t, repo, pair.Base), gitTree(t, repo, pair.Head)
	var wg sync.WaitGroup
	queue := make(chan string)
	for range 2 {
		wg.Go(func() {
			for app := range queue {
				compareApplication(t, pool, [2]Tree{base, head}, pair, app)
			}
		})
	}
	for _, app := range slices.Sorted(maps.Keys(pair.Applications)) {
		if want := pair.Applications[app]; want.Root != nil {
			queue <- app
		}
	}
	close(queue)
	wg.Wait()
}

func compareApplication(t *testing.T, pool *Pool, sides [2]Tree, pair corpusPair, app string) {
	want := pair.Applications[app]
	var sets [2]manifest.Set
	for i, expected := range []string{want.Base, want.Head} {
		if expected == "absent" {
			continue
		}
		result, err := pool.Render(t.Context(), Request{Tree: sides[i], Path: app, Type: TypeKustomize})
		sets[i] = result.Objects
		if (err != nil) != strings.HasPrefix(expected, "error") {
			t.Errorf("%s side %d: stock says %s, ours: %v", app, i, expected, err)
			return
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || expected == "error:remote" != (e.Class == ClassUnsupported && strings.Contains(e.Message, "remote")) {
				t.Logf("%s side %d: stock says %s, ours: %v", app, i, expected, err)
			}
			if os.Getenv("MERGEGATE_CORPUS_ERRORS") != "" {
				t.Logf("%s: %s", expected, err)
			}
		}
	}
	if strings.HasPrefix(want.Base, "error") || strings.HasPrefix(want.Head, "error") {
		return
	}
	created, updated, deleted := compareSets(sets[0], sets[1])
	for _, c := range []struct {
		what      string
		got, want []string
	}{{"created", created, want.Created}, {"updated", updated, want.Updated}, {"deleted", deleted, want.Deleted}} {
		slices.Sort(c.want)
		if !slices.Equal(c.got, c.want) && !recordedOfAnotherTree[app] {
			t.Errorf("%s: %s %v, stock has %v", app, c.what, c.got, c.want)
		}
	}
}

// recordedOfAnotherTree are applications whose generated name was recorded with a file that the
// corpus replaces by a placeholder: stock kustomize gives another hash on the corpus's own tree.
var recordedOfAnotherTree = map[string]bool{
	"kubernetes/apps/base/game-servers/cmangos-registration/app": true,
	"kubernetes/apps/base/game-servers/vmangos-registration/app": true,
}

var numbered = regexp.MustCompile(`#\d+$`)

// compareSets compares by identity; a second object of the same identity is "#2".
func compareSets(base, head manifest.Set) (created, updated, deleted []string) {
	before, after := keyed(base), keyed(head)
	for key, object := range after {
		switch old, ok := before[key]; {
		case !ok:
			created = append(created, key)
		case !reflect.DeepEqual(old.Content, object.Content):
			updated = append(updated, key)
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			deleted = append(deleted, key)
		}
	}
	slices.Sort(created)
	slices.Sort(updated)
	slices.Sort(deleted)
	return created, updated, deleted
}

func keyed(set manifest.Set) map[string]manifest.Object {
	byKey := map[string]manifest.Object{}
	for _, object := range set {
		key := object.ID.Key()
		for n := 2; ; n++ {
			if _, taken := byKey[key]; !taken {
				break
			}
			key = numbered.ReplaceAllString(key, "") + fmt.Sprintf("#%d", n)
		}
		byKey[key] = object
	}
	return byKey
}

// indexedTree is a [mapTree] whose listings are made once.
type indexedTree struct {
	mapTree
	dirs map[string][]fs.DirEntry
}

func (t indexedTree) ReadDir(name string) ([]fs.DirEntry, error) {
	if found, ok := t.dirs[name]; ok {
		return found, nil
	}
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
}

func gitTree(t *testing.T, repo, commit string) Tree {
	t.Helper()
	names := map[string]string{}
	modes := map[string]fs.FileMode{}
	var request bytes.Buffer
	var order []string
	for _, line := range strings.Split(strings.TrimSuffix(string(git(t, repo, "ls-tree", "-r", "-z", commit)), "\x00"), "\x00") {
		head, name, _ := strings.Cut(line, "\t")
		fields := strings.Fields(head)
		names[name] = fields[2]
		modes[name] = map[string]fs.FileMode{"120000": fs.ModeSymlink, "160000": fs.ModeIrregular}[fields[0]]
		if fields[0] != "160000" {
			order = append(order, name)
			request.WriteString(fields[2] + "\n")
		}
	}
	cmd := exec.CommandContext(t.Context(), "git", "cat-file", "--batch")
	cmd.Dir, cmd.Stdin = repo, &request
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	tree := indexedTree{mapTree{fstest.MapFS{}}, map[string][]fs.DirEntry{}}
	r := bufio.NewReader(bytes.NewReader(out))
	for _, name := range order {
		header, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		size, err := strconv.Atoi(strings.Fields(header)[2])
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(r, data); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Discard(1); err != nil {
			t.Fatal(err)
		}
		tree.MapFS[name] = &fstest.MapFile{Data: data, Mode: modes[name] | 0o644}
	}
	tree.index(names, modes)
	return tree
}

type listed struct {
	name string
	mode fs.FileMode
}

func (l listed) Name() string               { return l.name }
func (l listed) IsDir() bool                { return l.mode.IsDir() }
func (l listed) Type() fs.FileMode          { return l.mode.Type() }
func (l listed) Info() (fs.FileInfo, error) { return nil, fs.ErrInvalid }

func (t indexedTree) index(names map[string]string, modes map[string]fs.FileMode) {
	known := map[string]bool{}
	for name := range names {
		for mode := modes[name]; name != "." && !known[name]; mode = fs.ModeDir {
			known[name] = true
			parent := path.Dir(name)
			t.dirs[parent] = append(t.dirs[parent], listed{path.Base(name), mode})
			name = parent
		}
	}
}
