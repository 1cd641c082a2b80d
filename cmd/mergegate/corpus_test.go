package main

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// corpusSample is the part of each repository's recorded changes that is planned where
// MERGEGATE_CORPUS_PAIRS does not say how many (0: all): every eighth is of all kinds.
const corpusSample = 8

// wronglyRecorded are applications whose recorded result is not what stock kustomize makes of the
// recorded repository: the name of a ConfigMap has the hash of a file that the repository has only a
// placeholder of.
var wronglyRecorded = map[string]string{
	"kubernetes/apps/base/game-servers/cmangos-registration/app": "xunholy",
	"kubernetes/apps/base/game-servers/vmangos-registration/app": "xunholy",
}

// recordedPair is a change of a real repository with what stock kustomize made of both sides.
type recordedPair struct {
	Base, Head, Merge, Category string
	Applications                map[string]recordedApplication
}

type recordedApplication struct {
	Base, Head                string
	Created, Updated, Deleted []recordedID
	Root                      *bool
	Component                 bool
}

// recordedID is an object as a recording names it: group/Kind/namespace/name.
type recordedID string

// UnmarshalJSON leaves out which of several objects of one name it is.
func (id *recordedID) UnmarshalJSON(data []byte) error {
	var text string
	err := json.Unmarshal(data, &text)
	*id = recordedID(regexp.MustCompile(`#\d+$`).ReplaceAllString(text, ""))
	return err
}

// TestCorpus plans recorded changes of real repositories and compares every application of theirs
// with what stock kustomize made of it. MERGEGATE_CORPUS names a folder of NAME.bundle and
// expected/NAME/*.json; without one there is nothing to compare. Charts are not rendered yet.
func TestCorpus(t *testing.T) {
	folder := os.Getenv("MERGEGATE_CORPUS")
	if folder == "" {
		t.Log("MERGEGATE_CORPUS is not set: nothing to compare with")
		return
	}
	bundles, err := filepath.Glob(filepath.Join(folder, "*.bundle"))
	if err != nil || len(bundles) == 0 {
		t.Fatalf("no bundles in %s: %v", folder, err)
	}
	every := filepath.Join(t.TempDir(), "every.yaml")
	if err := os.WriteFile(every, []byte("apiVersion: mergegate/v1\napplications:\n  - path: \"**\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bundle := range bundles {
		name := strings.TrimSuffix(filepath.Base(bundle), ".bundle")
		repo := filepath.Join(t.TempDir(), "repo.git")
		gitOutput(t, ".", "init", "-q", "--bare", repo)
		gitOutput(t, repo, "fetch", "-q", bundle, "+refs/*:refs/*")
		for file, pair := range recordings(t, filepath.Join(folder, "expected", name)) {
			t.Run(name+"/"+file, func(t *testing.T) {
				t.Logf("category %s, %d applications", pair.Category, len(pair.Applications))
				c := corpusCase{pair: pair, name: name, repo: repo}
				c.compare(t, corpusPlan(t, repo, every, pair))
			})
		}
	}
}

// recordings is the sample of a folder's recordings of kustomize applications, by name.
func recordings(t *testing.T, folder string) map[string]recordedPair {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	sample := map[string]recordedPair{}
	step := corpusSample
	if pairs := os.Getenv("MERGEGATE_CORPUS_PAIRS"); pairs != "" {
		n, err := strconv.Atoi(pairs)
		if err != nil {
			t.Fatalf("MERGEGATE_CORPUS_PAIRS: %v", err)
		}
		step = 1
		if n > 0 {
			step = max(1, len(files)/n)
		}
	}
	for i, file := range files {
		if i%step != 0 {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var pair recordedPair
		if err := json.Unmarshal(data, &pair); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if slices.ContainsFunc(slices.Collect(maps.Values(pair.Applications)), func(a recordedApplication) bool { return a.Root != nil }) {
			sample[strings.TrimSuffix(filepath.Base(file), ".json")] = pair
		}
	}
	return sample
}

func gitOutput(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return out
}

// corpusPlan is what mergegate, as a process of its own, says of a change.
func corpusPlan(t *testing.T, repo, config string, pair recordedPair) plan.Plan {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "plan", "--repo", repo, "--base", pair.Base, "--head", pair.Head,
		"--config", config, "--output", "json", "--fail-on", "never")
	cmd.Env = append(os.Environ(), asMergegate+"=1")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == exitInput && len(out) > 0 { // applications that do not render
		err = nil
	}
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	var p plan.Plan
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// corpusCase is one recorded change and the repository it is in.
type corpusCase struct {
	name, repo string
	pair       recordedPair
}

func (c corpusCase) compare(t *testing.T, p plan.Plan) {
	t.Helper()
	ours := map[string]plan.Application{}
	for _, a := range p.Applications {
		ours[a.Path] = a
		_, recorded := c.pair.Applications[a.Path]
		switch {
		case a.Type == "yaml":
			c.manifests(t, a)
		case a.Type == "kustomize" && !recorded && len(a.Changes) > 0:
			t.Errorf("%s: changes where stock kustomize sees none", a.Path)
		}
	}
	for path, want := range c.pair.Applications {
		if want.Component || want.Root == nil || wronglyRecorded[path] == c.name {
			continue
		}
		mine, planned := ours[path]
		c.application(t, path, want, mine, planned)
	}
}

func (c corpusCase) application(t *testing.T, path string, want recordedApplication, mine plan.Application, planned bool) {
	t.Helper()
	switch {
	case strings.HasPrefix(want.Head, "error"):
		if mine.Status != plan.StatusError {
			t.Errorf("%s: stock kustomize: %s, the plan: %q", path, want.Head, mine.Status)
		}
	case strings.HasPrefix(want.Base, "error"):
		if !planned || mine.Status == plan.Unchanged {
			t.Errorf("%s: base does not render, head does; the plan: %q", path, mine.Status)
		}
	case mine.Status == plan.StatusError:
		t.Errorf("%s: stock kustomize renders it; the plan: %s", path, mine.Error)
	default:
		got := map[string][]recordedID{
			"created": objectsOf(mine, plan.Create), "updated": objectsOf(mine, plan.Update, plan.Replace), "deleted": objectsOf(mine, plan.Delete),
		}
		if diff := cmp.Diff(fold(want), got); diff != "" {
			t.Errorf("%s (-stock kustomize +plan):\n%s", path, diff)
		}
	}
}

// objectsOf are the objects of an application to which one of the actions happens, each once.
func objectsOf(a plan.Application, actions ...plan.Action) []recordedID {
	ids := []recordedID{}
	for _, change := range a.Changes {
		if slices.Contains(actions, change.Action) {
			ids = append(ids, recordedAs(change.Object))
		}
	}
	return sortedIDs(ids)
}

func recordedAs(id manifest.ID) recordedID {
	return recordedID(id.Group + "/" + id.Kind + "/" + id.Namespace + "/" + id.Name)
}

func sortedIDs(ids []recordedID) []recordedID {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// fold makes one update of a ConfigMap or Secret that only changes its generated suffix, and leaves
// the suffix of one that is updated out.
func fold(want recordedApplication) map[string][]recordedID {
	generated := regexp.MustCompile(`^(/(?:ConfigMap|Secret)/.*)-[a-z0-9]{10}$`)
	stem := func(id recordedID) recordedID { return recordedID(generated.ReplaceAllString(string(id), "$1")) }
	gone := map[recordedID]recordedID{}
	for _, id := range want.Deleted {
		if stem(id) != id {
			gone[stem(id)] = id
		}
	}
	created, updated, replaced := []recordedID{}, []recordedID{}, []recordedID{}
	for _, id := range want.Created {
		if old, was := gone[stem(id)]; was && stem(id) != id {
			updated, replaced = append(updated, id), append(replaced, old)
			continue
		}
		created = append(created, id)
	}
	updated = append(updated, want.Updated...)
	for i := range updated {
		updated[i] = stem(updated[i])
	}
	deleted := slices.DeleteFunc(slices.Clone(want.Deleted), func(id recordedID) bool { return slices.Contains(replaced, id) })
	return map[string][]recordedID{"created": sortedIDs(created), "updated": sortedIDs(updated), "deleted": sortedIDs(append([]recordedID{}, deleted...))}
}

// manifests checks an application of plain manifests, of which there are no recordings: each object
// that changes stands in a file that changes.
func (c corpusCase) manifests(t *testing.T, a plan.Application) {
	t.Helper()
	head := c.pair.Head
	if c.pair.Merge != "" {
		head = c.pair.Merge
	}
	changed := strings.Fields(string(gitOutput(t, c.repo, "diff", "--name-only", "--no-renames", c.pair.Base, head, "--", a.Path)))
	var text strings.Builder
	for _, revision := range []string{c.pair.Base, head} {
		for _, file := range changed {
			if len(gitOutput(t, c.repo, "ls-tree", revision, "--", file)) > 0 {
				text.Write(gitOutput(t, c.repo, "show", revision+":"+file))
			}
		}
	}
	for _, change := range a.Changes {
		if !strings.Contains(text.String(), change.Object.Kind) || !strings.Contains(text.String(), change.Object.Name) {
			t.Errorf("%s: %s changes, and no file that changes has it: %v", a.Path, change.Object, changed)
		}
	}
}
