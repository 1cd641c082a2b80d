//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/application"
	"github.com/mergegate/mergegate/internal/config"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/source"
)

// The policies of both contenders.
const benchPolicies = "testdata/bench-policies"

// contest is one recorded change of a real repository, and what the contenders need for it.
type contest struct {
	name       string // repository/pair
	repo       string // a bare clone
	Base, Head string
	// Applications are the kustomization directories whose inputs or output changed.
	Applications map[string]struct {
		Base, Head string
		Root       *bool
		Component  bool
	}
}

// BenchmarkPlan sets `mergegate plan` against the stock way: two work trees, one kustomize build for
// each side of each application, diff, and conftest on what was rendered. MERGEGATE_CORPUS names the
// folder of recorded changes, BENCH_PAIRS how many of each repository to take.
func BenchmarkPlan(b *testing.B) {
	if os.Getenv("MERGEGATE_CORPUS") == "" {
		b.Fatal("MERGEGATE_CORPUS names no folder of recorded changes")
	}
	bin := built(b, "mergegate")
	everything := filepath.Join(b.TempDir(), "config.yaml")
	if err := os.WriteFile(everything, []byte("apiVersion: mergegate/v1\napplications:\n  - path: \"**\"\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	header := []string{
		"change", "built", "CPU s: mergegate", "stock", "of it check-outs", "ratio", "without check-outs", "wall s: mergegate", "stock", "ratio",
		"MiB (largest process): mergegate", "stock", "applications with the same findings",
	}
	known := table{title: "Plan: the stock user knows which applications are affected", header: header, text: "Both sides get every affected kustomization directory, bases and overlays alike."}
	unknown := table{title: "Plan: nobody says what is affected", header: header, text: "mergegate finds out by itself; the stock way builds every root."}
	for _, repo := range corpus(b) {
		for i, c := range repo {
			b.Run("affected/"+c.name, func(b *testing.B) {
				compete(b, c, rival{bin: bin, args: []string{"--config", everything}, dirs: c.affected()}, &known)
			})
			if i == 0 {
				b.Run("roots/"+c.name, func(b *testing.B) { compete(b, c, rival{bin: bin, dirs: roots(b, c), once: true}, &unknown) })
			}
		}
	}
	known.print(b)
	unknown.print(b)
}

// rival is what the two contenders are given: mergegate's arguments, and what the stock way builds.
type rival struct {
	bin  string
	args []string
	dirs []string
	once bool // the stock way takes too long to be measured more than once
}

// compete runs the contenders in turns.
func compete(b *testing.B, c contest, r rival, t *table) {
	var ours, stock []cost
	var same string
	for b.Loop() {
		mine, plan := planOnce(b, c, r)
		ours = append(ours, mine)
		if len(stock) > 0 && r.once {
			continue
		}
		theirs, verdicts := stockOnce(b, c, r.dirs)
		stock, same = append(stock, theirs), agreement(plan, verdicts)
	}
	mine, theirs := middle(ours), middle(stock)
	b.ReportMetric(mine.cpu.Seconds(), "mergegate-cpu-s")
	b.ReportMetric(theirs.cpu.Seconds(), "stock-cpu-s")
	cpu, wall := theirs.cpu.Seconds()/mine.cpu.Seconds(), theirs.wall.Seconds()/mine.wall.Seconds()
	b.ReportMetric(cpu, "cpu-ratio")
	t.add(c.name, len(r.dirs), seconds(mine.cpu), seconds(theirs.cpu), seconds(theirs.checkout), fmt.Sprintf("%.1f", cpu),
		fmt.Sprintf("**%.1f**", (theirs.cpu-theirs.checkout).Seconds()/mine.cpu.Seconds()), seconds(mine.wall), seconds(theirs.wall), fmt.Sprintf("%.1f", wall),
		inMemory(mine), inMemory(theirs), same)
}

func inMemory(c cost) string { return fmt.Sprintf("%d (%d)", c.together>>20, c.largest>>20) }

func planOnce(b *testing.B, c contest, r rival) (cost, plan.Plan) {
	b.Helper()
	m := newMeter(b)
	args := append([]string{"plan", "--repo", c.repo, "--base", c.Base, "--head", c.Head, "--policy", benchPolicies, "--output", "json", "--fail-on", "never"}, r.args...)
	out, code := m.run("", r.bin, args...)
	took := m.end()
	var p plan.Plan
	if err := json.Unmarshal(out, &p); err != nil {
		b.Fatalf("%s: exit %d, no plan: %v\n%.500s", c.name, code, err, out)
	}
	return took, p
}

// stockOnce does what a script of stock tools does. It gets the cores and the knowledge for nothing.
func stockOnce(b *testing.B, c contest, dirs []string) (cost, map[string][]string) {
	b.Helper()
	dir := b.TempDir()
	kustomize, conftest := built(b, "tools/kustomize"), built(b, "tools/conftest")
	policies, err := filepath.Abs(benchPolicies)
	if err != nil {
		b.Fatal(err)
	}
	sides := map[string]string{"base": c.Base, "head": c.Head}
	for side := range sides {
		if err := os.MkdirAll(filepath.Join(dir, "out", side), 0o700); err != nil {
			b.Fatal(err)
		}
	}
	m := newMeter(b)
	for side, commit := range sides {
		if out, code := m.run("", "git", "--git-dir", c.repo, "worktree", "add", "--quiet", "--detach", filepath.Join(dir, side), commit); code != 0 {
			b.Fatalf("%s: check out: %s", c.name, out)
		}
	}
	checkout := time.Duration(m.cpu.Load())
	builds := make(chan [2]string)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(func() {
			for build := range builds {
				side, app := build[0], build[1]
				m.run(dir, kustomize, "build", filepath.Join(side, app), "--output", filepath.Join("out", side, fileOf(app))) // an error is a result, too
			}
		})
	}
	for side := range sides {
		for _, app := range dirs {
			if _, err := os.Stat(filepath.Join(dir, side, app)); err == nil {
				builds <- [2]string{side, app}
			}
		}
	}
	close(builds)
	wg.Wait()
	m.run(dir, "diff", "-r", "-u", "out/base", "out/head")
	out, code := m.run(dir, conftest, "test", "--policy", policies, "--output", "json", "--no-fail", filepath.Join("out", "head"))
	took := m.end()
	took.checkout = checkout
	for side := range sides {
		remove(b, c.repo, filepath.Join(dir, side))
	}
	return took, messages(b, out, code)
}

func fileOf(app string) string { return strings.ReplaceAll(app, "/", "!") + ".yaml" }

func remove(b *testing.B, repo, worktree string) {
	b.Helper()
	if out, err := exec.CommandContext(b.Context(), "git", "--git-dir", repo, "worktree", "remove", "--force", worktree).CombinedOutput(); err != nil {
		b.Errorf("remove work tree: %v\n%s", err, out)
	}
}

// messages are what conftest says of each application: failures and warnings, sorted.
func messages(b *testing.B, out []byte, code int) map[string][]string {
	b.Helper()
	type result struct{ Msg string }
	var files []struct {
		Filename string
		Failures []result
		Warnings []result
	}
	if err := json.Unmarshal(out, &files); err != nil {
		b.Fatalf("conftest: exit %d: %v\n%.500s", code, err, out)
	}
	said := map[string][]string{}
	for _, f := range files {
		app := strings.ReplaceAll(strings.TrimSuffix(path.Base(filepath.ToSlash(f.Filename)), ".yaml"), "!", "/")
		for _, r := range f.Failures {
			said[app] = append(said[app], "deny "+r.Msg)
		}
		for _, r := range f.Warnings {
			said[app] = append(said[app], "warn "+r.Msg)
		}
		slices.Sort(said[app])
	}
	return said
}

// agreement compares what both say of each application that mergegate rendered, message by message,
// findings that base has already included.
func agreement(p plan.Plan, verdicts map[string][]string) string {
	same, all, findings := 0, 0, 0
	for _, a := range p.Applications {
		if a.Type != application.Kustomize || a.Status == plan.StatusError || a.Status == plan.Removed {
			continue
		}
		var mine []string
		for _, f := range a.Findings {
			if f.Severity == plan.Deny || f.Severity == plan.Warn {
				mine = append(mine, string(f.Severity)+" "+f.Message)
			}
		}
		slices.Sort(mine)
		all++
		if slices.Equal(mine, verdicts[a.Path]) {
			same++
			findings += len(mine)
		}
	}
	return fmt.Sprintf("%d of %d, %d findings", same, all, findings)
}

// corpus are the recorded changes, some of each repository, evenly spread.
func corpus(b *testing.B) [][]contest {
	b.Helper()
	dir := os.Getenv("MERGEGATE_CORPUS")
	bundles, err := filepath.Glob(filepath.Join(dir, "*.bundle"))
	if err != nil || len(bundles) == 0 {
		b.Fatalf("no bundles in %s: %v", dir, err)
	}
	var all [][]contest
	for _, bundle := range bundles {
		name := strings.TrimSuffix(filepath.Base(bundle), ".bundle")
		files, err := filepath.Glob(filepath.Join(dir, "expected", name, "pair-*.json"))
		if err != nil {
			b.Fatal(err)
		}
		var found []contest
		for _, file := range files {
			c := contest{name: name + "/" + strings.TrimSuffix(filepath.Base(file), ".json"), repo: filepath.Join(b.TempDir(), name+".git")}
			data, err := os.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(data, &c)
			}
			if err != nil {
				b.Fatalf("%s: %v", file, err)
			}
			if len(c.affected()) > 0 {
				found = append(found, c)
			}
		}
		if found = spread(found, setting(b, "BENCH_PAIRS", 2)); len(found) == 0 {
			continue
		}
		for i := range found {
			found[i].repo = found[0].repo
		}
		output(b, "git", "init", "--quiet", "--bare", found[0].repo)
		output(b, "git", "--git-dir", found[0].repo, "fetch", "--quiet", bundle, "+refs/*:refs/*")
		all = append(all, found)
	}
	return all
}

// spread takes n of all at equal distances.
func spread(all []contest, n int) []contest {
	if len(all) <= n {
		return all
	}
	some := make([]contest, n)
	for i := range some {
		some[i] = all[i*len(all)/n]
	}
	return some
}

// affected are the kustomization directories that the record lists, but for components, which no
// tool builds by themselves.
func (c contest) affected() []string {
	var dirs []string
	for dir, a := range c.Applications {
		if a.Root != nil && !a.Component {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// roots are the kustomization directories of both sides that no other kustomization includes. The
// stock way gets them for nothing, though no stock tool lists them.
func roots(b *testing.B, c contest) []string {
	b.Helper()
	repository, err := source.Open(b.Context(), c.repo)
	if err != nil {
		b.Fatal(err)
	}
	defer repository.Close() //nolint:errcheck // it was only read
	var dirs []string
	for _, commit := range []string{c.Base, c.Head} {
		tree, err := repository.Tree(b.Context(), commit)
		if err != nil {
			b.Fatal(err)
		}
		found, err := application.Discover(b.Context(), tree, config.Repository{})
		if err != nil {
			b.Fatal(err)
		}
		for _, a := range found.Applications {
			if a.Type == application.Kustomize {
				dirs = append(dirs, a.Path)
			}
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
