//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/clustertest"
)

// BenchmarkLive measures what the API server would do with a change: `mergegate plan --kubeconfig`, which
// renders, compares and judges besides, and `kubectl diff --server-side` on the rendered files, with its
// default and with its best concurrency. Both work on one cluster, in turns, as field manager mergegate.
// BENCH_OBJECTS takes one of the two sizes.
func BenchmarkLive(b *testing.B) {
	t := table{
		title: "Live diff",
		text: "Four ConfigMaps of twelve keys to one Deployment with eight variables, in files of a hundred objects, applied to an etcd and a kube-apiserver on the same cores. " +
			"*requests* is what the API server counted. *changed* objects differ between base and head; the cluster is as base has it.",
		header: []string{"objects", "changed", "contender", "wall s", "CPU s", "memory MiB: together (largest)", "requests", "objects that differ", "times as long as mergegate"},
	}
	for b.Loop() {
		t.rows = nil
		for _, n := range []int{500, 2500} {
			if only := setting(b, "BENCH_OBJECTS", n); only == n {
				liveRound(b, &t, n)
			}
		}
	}
	t.print(b)
}

// contender is one way to find out what would happen.
type contender struct {
	name string
	args []string
	// differ counts the objects that it says would change.
	differ func(stdout string) int
}

func liveRound(b *testing.B, t *table, n int) {
	b.Helper()
	cluster := clustertest.New(b, clustertest.Options{ControlPlaneOnly: true})
	repo := liveRepository(b, n)
	cluster.Kubectl(b, "", "create", "namespace", "bench")
	cluster.Kubectl(b, "", "apply", "--server-side", "--field-manager", "mergegate", "-f", filepath.Join(repo, "apps/bench"))
	rounds := setting(b, "BENCH_ROUNDS", 3)
	for _, changed := range []int{0, 10, n} {
		head := "changed-" + strconv.Itoa(changed)
		git(b, repo, "checkout", "-q", head)
		contenders := liveContenders(b, cluster, repo, head)
		costs, requests, differ := make([][]cost, len(contenders)), make([]int, len(contenders)), make([]int, len(contenders))
		for range rounds {
			for i, c := range contenders {
				before := requestsServed(b, cluster)
				m := newMeterBeside(b, descendants())
				out, _ := m.run(repo, c.args[0], c.args[1:]...)
				costs[i] = append(costs[i], m.end())
				requests[i] = requestsServed(b, cluster) - before
				differ[i] = c.differ(string(out))
			}
		}
		ours := middle(costs[0])
		for i, c := range contenders {
			m := middle(costs[i])
			ratio := float64(m.wall) / float64(ours.wall)
			t.add(n, changed, c.name, seconds(m.wall), seconds(m.cpu), fmt.Sprintf("%d (%d)", m.together>>20, m.largest>>20), requests[i], differ[i], strconv.FormatFloat(ratio, 'f', 1, 64))
			if differ[i] != changed {
				b.Errorf("%s says that %d of %d objects differ, %d do", c.name, differ[i], n, changed)
			}
		}
	}
}

func liveContenders(b *testing.B, cluster *clustertest.Cluster, repo, head string) []contender {
	b.Helper()
	without := []string{
		built(b, "mergegate"), "plan", "--base", "main", "--head", head, "--all", "--policy", filepath.Join(repo, "policies"), "--output", "json",
	}
	mergegate := slices.Concat(without, []string{"--kubeconfig", cluster.Kubeconfig, "--context", "devcluster"})
	kubectl := func(more ...string) []string {
		return append([]string{
			clustertest.Binary(b), "kubectl", "--kubeconfig", cluster.Kubeconfig, "diff", "--server-side", "--force-conflicts",
			"--field-manager", "mergegate", "-f", "apps/bench",
		}, more...)
	}
	diffs := func(out string) int { return strings.Count("\n"+out, "\ndiff ") }
	all := []contender{
		{name: "`mergegate plan`", args: mergegate, differ: func(out string) int { return strings.Count(out, `"result": "update"`) }},
		{name: "of it without asking a cluster", args: without, differ: func(out string) int { return strings.Count(out, `"action": "update"`) }},
		{name: "`kubectl diff`, default concurrency of 1", args: kubectl(), differ: diffs},
	}
	for _, concurrency := range []string{"4", "16"} {
		all = append(all, contender{name: "`kubectl diff --concurrency " + concurrency + "`", args: kubectl("--concurrency", concurrency), differ: diffs})
	}
	return all
}

// liveRepository is a repository of n objects whose branch changed-K changes K of them.
func liveRepository(b *testing.B, n int) string {
	b.Helper()
	repo := b.TempDir()
	git(b, repo, "init", "-q", "-b", "main")
	if err := os.MkdirAll(filepath.Join(repo, "policies"), 0o755); err != nil {
		b.Fatal(err)
	}
	policy := "package nothing\n\nimport rego.v1\n\ndeny contains \"there is one\" if input.kind == \"Nothing\"\n"
	if err := os.WriteFile(filepath.Join(repo, "policies/nothing.rego"), []byte(policy), 0o644); err != nil {
		b.Fatal(err)
	}
	commit := func() {
		git(b, repo, "add", ".")
		git(b, repo, "-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-q", "--allow-empty", "-m", "objects")
	}
	writeObjects(b, repo, n, 0)
	commit()
	for _, changed := range []int{0, 10, n} {
		git(b, repo, "checkout", "-q", "-b", "changed-"+strconv.Itoa(changed), "main")
		writeObjects(b, repo, n, changed)
		commit()
	}
	git(b, repo, "checkout", "-q", "main")
	return repo
}

// writeObjects writes n objects, evenly spread the given number of which are changed.
func writeObjects(b *testing.B, repo string, n, changed int) {
	b.Helper()
	const perFile = 100
	dir := filepath.Join(repo, "apps/bench")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	for first := 0; first < n; first += perFile {
		var text strings.Builder
		for i := first; i < min(first+perFile, n); i++ {
			value := "old"
			if i*changed/n != (i+1)*changed/n {
				value = "new"
			}
			text.WriteString("---\n" + benchObject(i, value))
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("part-%05d.yaml", first)), []byte(text.String()), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

func git(b *testing.B, repo string, args ...string) {
	b.Helper()
	output(b, "git", append([]string{"-C", repo}, args...)...)
}

func benchObject(i int, value string) string {
	var text strings.Builder
	if i%5 != 4 {
		fmt.Fprintf(&text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings-%d, namespace: bench, labels: {part: bench}}\ndata:\n  value: %s\n", i, value)
		for k := range 11 {
			fmt.Fprintf(&text, "  key-%d: value of key %d\n", k, k)
		}
		return text.String()
	}
	fmt.Fprintf(&text, `apiVersion: apps/v1
kind: Deployment
metadata: {name: web-%[1]d, namespace: bench, labels: {app: web-%[1]d}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web-%[1]d}}
  template:
    metadata: {labels: {app: web-%[1]d}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:%[2]s
        ports: [{containerPort: 8080}]
        env:
`, i, value)
	for k := range 8 {
		fmt.Fprintf(&text, "        - {name: VARIABLE_%d, value: \"%d\"}\n", k, k)
	}
	return text.String()
}

// requestsServed is how many requests the API server has answered. Those of the server to itself, at most
// a few a second, are among them.
func requestsServed(b *testing.B, cluster *clustertest.Cluster) int {
	b.Helper()
	total := 0
	for line := range strings.Lines(cluster.Kubectl(b, "", "get", "--raw", "/metrics")) {
		if !strings.HasPrefix(line, "apiserver_request_total{") {
			continue
		}
		n, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:len(line)-1], 64)
		if err != nil {
			b.Fatal(err)
		}
		total += int(n)
	}
	return total
}
