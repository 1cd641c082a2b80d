package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/mergegate/mergegate/internal/clustertest"
)

// program is the real mergegate, built once when the first test needs it.
var program struct {
	dir  string
	once sync.Once
	err  error
}

func TestMain(m *testing.M) {
	var err error
	if program.dir, err = os.MkdirTemp("", "mergegate-built-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(program.dir)
	os.Exit(code)
}

func mergegate(t *testing.T) string {
	t.Helper()
	file := filepath.Join(program.dir, "mergegate")
	program.once.Do(func() {
		out, err := exec.Command("go", "build", "-o", file, "../mergegate").CombinedOutput()
		if program.err = err; err != nil {
			t.Logf("%s", out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return file
}

// clusters are the arguments for a demo with clusters.
func clusters(t *testing.T, args ...string) []string {
	t.Helper()
	return append(args, "--devcluster", clustertest.Binary(t))
}

// runDemo runs the demo and returns its exit code and what it printed. What it leaves in the temporary
// directory is an error.
func runDemo(t *testing.T, ctx context.Context, watch func(printed string), args ...string) (int, string) {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	out := &watched{watch: watch}
	code := run(ctx, args, plainScreen(out))
	left, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("left behind: %s", entry.Name())
	}
	if t.Failed() {
		t.Cleanup(func() { t.Log(out.all.String()) })
	}
	return code, out.all.String()
}

// watched is a buffer that shows all that was written so far after each write.
type watched struct {
	all   bytes.Buffer
	watch func(string)
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.all.Write(p)
	if w.watch != nil {
		w.watch(w.all.String())
	}
	return n, err
}

func expect(t *testing.T, printed string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).MatchString(printed) {
			t.Errorf("the output lacks %q", pattern)
		}
	}
	if t.Failed() {
		t.Log(printed)
	}
}

// gone fails when mergegate still answers at the address that the demo printed.
func gone(t *testing.T, printed string) {
	t.Helper()
	address := regexp.MustCompile(`at (http://127\.0\.0\.1:\d+)`).FindStringSubmatch(printed)
	if address == nil {
		t.Fatal("the output names no address")
	}
	if res, err := http.Get(address[1]); err == nil {
		res.Body.Close()
		t.Errorf("%s still answers", address[1])
	}
}

func TestSampleStory(t *testing.T) {
	code, printed := runDemo(t, t.Context(), nil, clusters(t, "--bin", mergegate(t), "--sample", "../../testdata/sample")...)
	if code != exitHeld {
		t.Errorf("exit code %d", code)
	}
	expect(t, printed,
		`Started two clusters, staging-eu and prod-eu`, `By hand in prod-eu, .* kubectl -n shop-production set resources`,
		`(?s)Already different in the cluster, this merge would revert it.+1Gi → 512Mi.+kubectl-set`,
		`in the cluster: as planned, pods restart`, `rejected by prod-eu: .*'no-host-path'`,
		`Started a local GitHub: REST, git, branch protection, webhooks: at`, `ann opened #3`, `#1 has its checks and its comment`,
		`mergegate / plan +✓ success +2 objects updated in 2 of 6 applications`,
		`mergegate / policy +✗ failure +Blocked: 1 object rejected by the cluster, denied by \d+ policies in 1 application`,
		`(?m)^  apps/checkout/overlays/production/debug\.yaml:12 +failure +MG101`,
		`#2: GitHub answers 405: Required status check "mergegate / plan" is failing`,
		`#1: GitHub answers 200: Pull Request successfully merged`,
		`prod-eu did not answer`, `ok +#2 repaired: the cluster is back, and so is success`, `mergegate reacted with eyes`, `ok +mergegate keeps one comment per pull request +#1 has 1, #2 has 1, #3 has 1`,
		`\d+ calls of GitHub's API`)
	if strings.ContainsAny(printed, "\x1b\x01\x02\x03\x04\x05\x06") {
		t.Error("colours or marks of style in what is no terminal")
	}
	gone(t, printed)
}

// A policy library that lets everything pass must not go by unnoticed.
func TestSampleStoryReportsWhatDiffers(t *testing.T) {
	sample := t.TempDir()
	if err := os.CopyFS(sample, os.DirFS("../../testdata/sample")); err != nil {
		t.Fatal(err)
	}
	write(t, sample, "policy/none.rego", "package none\n\nimport rego.v1\n\ndeny contains \"never\" if input.kind == \"Nothing\"\n")
	code, printed := runDemo(t, t.Context(), nil, clusters(t, "--bin", mergegate(t), "--sample", sample)...)
	if code != exitDiffers {
		t.Errorf("exit code %d", code)
	}
	expect(t, printed, `FAILED +#2 privileged: annotation on that very line +none at`, `(?s)FAILED.+\d expectations? did not hold`,
		`The last lines of mergegate's log`)
	gone(t, printed)
}

func TestOwnRepository(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/sample")); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "init", "--quiet", "--initial-branch=trunk")
	commit(t, dir, "Begin")
	write(t, dir, "apps/shop/overlays/staging/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop-staging\n  labels:\n    team: shop\n")
	commit(t, dir, "Say whose the shop is")
	code, printed := runDemo(t, t.Context(), nil, "--bin", mergegate(t), "--repo", dir, "--base", "HEAD~1", "--head", "trunk")
	if code != exitHeld {
		t.Errorf("exit code %d", code)
	}
	expect(t, printed, `ann opened #1: Say whose the shop is`, `mergegate / plan +✓ success`, `ok +both checks are completed`, `\+ +team: shop`)
	gone(t, printed)
}

func TestInterruptCleansUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	code, printed := runDemo(t, ctx, func(printed string) {
		if strings.Contains(printed, "ann opened #2") {
			cancel()
		}
	}, clusters(t, "--bin", mergegate(t), "--sample", "../../testdata/sample")...)
	if code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	expect(t, printed, `Interrupted: stopping everything`)
	gone(t, printed)
}

func TestKeepWaitsForTheInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var page string
	code, printed := runDemo(t, ctx, func(printed string) {
		if page != "" || !strings.Contains(printed, "Press Ctrl-C") {
			return
		}
		page = regexp.MustCompile(`GitHub's pages +(\S+)`).FindStringSubmatch(printed)[1]
		res, err := http.Get(page + "/pull/2")
		if err != nil {
			t.Error(err)
		} else {
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), "MG101") {
				t.Errorf("%s: %d, %v", page, res.StatusCode, err)
			}
			res.Body.Close()
		}
		cancel()
	}, clusters(t, "--bin", mergegate(t), "--sample", "../../testdata/sample", "--keep")...)
	if code != exitHeld {
		t.Errorf("exit code %d", code)
	}
	gone(t, printed)
}

func TestMergegateThatEnds(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mergegate")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho no luck \x1b[31mtoday >&2\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	code, printed := runDemo(t, t.Context(), nil, clusters(t, "--bin", file, "--sample", "../../testdata/sample")...)
	if code != exitDiffers {
		t.Errorf("exit code %d", code)
	}
	expect(t, printed, `FAILED\n  waited until mergegate answers, but mergegate ended: exit status 3`, `no luck .\[31mtoday`)
	gone(t, printed)
}

func TestMergegateThatNeverAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mergegate")
	if err := os.WriteFile(file, []byte("#!/bin/sh\necho thinking\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	code, printed := runDemo(t, t.Context(), nil, clusters(t, "--bin", file, "--sample", "../../testdata/sample", "--patience", "300ms")...)
	if code != exitDiffers {
		t.Errorf("exit code %d", code)
	}
	expect(t, printed, `FAILED\n  waited 300ms in vain until mergegate answers`, `  thinking`)
}

func TestUsage(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no program":         {[]string{"--bin", "nowhere"}, "make build"},
		"repository alone":   {[]string{"--repo", "."}, "go together"},
		"no devcluster":      {[]string{"--devcluster", "nowhere"}, "make devcluster"},
		"revisions alone":    {[]string{"--base", "a", "--head", "b"}, "go together"},
		"an argument":        {[]string{"now"}, `unexpected argument "now"`},
		"a flag it lacks":    {[]string{"--fast"}, "-fast"},
		"no such revision":   {[]string{"--repo", ".", "--base", "no-such", "--head", "HEAD"}, `no commit "no-such"`},
		"no such repository": {[]string{"--repo", os.DevNull, "--base", "a", "--head", "b"}, `no commit "a"`},
	} {
		t.Run(name, func(t *testing.T) {
			args := test.args
			if name != "no program" {
				args = append([]string{"--bin", os.Args[0]}, args...)
			}
			code, printed := runDemo(t, t.Context(), nil, args...)
			if code == exitHeld || !strings.Contains(printed, test.says) {
				t.Errorf("exit code %d: %s", code, printed)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=ann", "-c", "user.email=ann@example.com"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func commit(t *testing.T, dir, message string) {
	t.Helper()
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "--quiet", "-m", message)
}
