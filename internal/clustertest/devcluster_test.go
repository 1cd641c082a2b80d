package clustertest

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	return cmd
}

// until waits until there is no error.
func until(t *testing.T, what string, try func() error) {
	t.Helper()
	const patience = time.Minute
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %s in vain until %s: %v", patience, what, err)
		}
	}
}

// devcluster runs the program and gives what it printed, to both outputs, and its exit status.
func devcluster(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(Binary(t), args...)
	output, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return string(output), cmd.ProcessState.ExitCode()
}

// processes are those of the cluster in a folder, by name.
func processes(t *testing.T, dir string) map[string]int {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "processes"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	found := map[string]int{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, id, _ := strings.Cut(lines.Text(), " ")
		if found[name], err = strconv.Atoi(id); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// untilGone waits until no process is left, but for those whose new parent has not buried them yet.
func untilGone(t *testing.T, running map[string]int) {
	t.Helper()
	for name, pid := range running {
		until(t, name+" is gone", func() error {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || strings.Contains(string(stat), ") Z ") {
				return nil
			}
			return fmt.Errorf("process %d: %s", pid, stat)
		})
	}
}

func TestKilledClusterLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cluster")
	started, err := run(Binary(t), "up", "--dir", dir)
	if err != nil {
		t.Fatal(err)
	}
	running := processes(t, dir)
	if len(running) != 5 {
		t.Errorf("processes: got %v, want five", running)
	}
	if err := started.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-started.exited
	untilGone(t, running)
	if output, status := devcluster(t, "status", "--dir", dir); status != 1 || !strings.Contains(output, "nothing runs in") {
		t.Errorf("status after the kill: %d, %s", status, output)
	}
}

func TestEndOfInputEndsTheCluster(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cluster")
	started, err := run(Binary(t), "up", "--dir", dir, "--with", "etcd,apiserver", "--until-eof", "--rm")
	if err != nil {
		t.Fatal(err)
	}
	running := processes(t, dir)
	if err := started.stop(); err != nil {
		t.Error(err)
	}
	untilGone(t, running)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestDeathOfAProgramEndsTheCluster(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cluster")
	started, err := run(Binary(t), "up", "--dir", dir, "--with", "etcd,apiserver,scheduler")
	if err != nil {
		t.Fatal(err)
	}
	running := processes(t, dir)
	if err := syscall.Kill(running["kube-scheduler"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-started.exited
	if started.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("up ended with %v, want exit status 1", started.err)
	}
	for _, want := range []string{"kube-scheduler ended: signal: killed", filepath.Join(dir, "logs", "kube-scheduler.log")} {
		if !strings.Contains(started.said.String(), want) {
			t.Errorf("up did not say %q:\n%s", want, started.said.String())
		}
	}
	untilGone(t, running)
}

func TestDownAndUpAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cluster")
	objects := filepath.Join(t.TempDir(), "objects.yaml")
	if err := os.WriteFile(objects, []byte(someObjects), 0o600); err != nil {
		t.Fatal(err)
	}
	must := func(want string, args ...string) {
		t.Helper()
		if output, status := devcluster(t, args...); status != 0 || !strings.Contains(output, want) {
			t.Fatalf("devcluster %v: status %d, want 0 and %q:\n%s", args, status, want, output)
		}
	}
	up := []string{"up", "--dir", dir, "--with", "etcd,apiserver", "--detach", "--objects", objects}
	must(filepath.Join(dir, "kubeconfig")+"\n", up...)
	t.Cleanup(func() { devcluster(t, "down", "--dir", dir) })
	must("ready "+dir, "status", "--dir", dir)
	if output, status := devcluster(t, up...); status != 1 || !strings.Contains(output, "runs in "+dir+" already") {
		t.Errorf("up for the second time: status %d:\n%s", status, output)
	}
	cluster := &Cluster{Kubeconfig: filepath.Join(dir, "kubeconfig"), Dir: dir}
	cluster.Kubectl(t, "", "-n", "shop", "label", "widget/blue", "seen=yes")

	running := processes(t, dir)
	must("", "down", "--dir", dir)
	untilGone(t, running)
	must("nothing runs in "+dir, "down", "--dir", dir)

	must("kubeconfig", up...)
	if got := cluster.Kubectl(t, "", "-n", "shop", "get", "widget", "blue", "-o", "jsonpath={.metadata.labels.seen}"); got != "yes" {
		t.Errorf("the object was not kept as it was: %q", got)
	}
	must("", "down", "--dir", dir)
}

// someObjects depend on each other, and stand in the wrong order.
const someObjects = `
apiVersion: example.com/v1
kind: Widget
metadata: {name: blue, namespace: shop}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, test := range []struct {
		want string
		args []string
	}{
		{"say what to do", nil},
		{`there is no command "fly"`, []string{"fly"}},
		{"--dir is missing", []string{"up"}},
		{"--dir is missing", []string{"down"}},
		{"unknown flag: --colour", []string{"status", "--colour"}},
		{`what is "extra"`, []string{"down", "--dir", dir, "extra"}},
		{`there is no "nginx": etcd, apiserver`, []string{"up", "--dir", dir, "--with", "etcd,nginx"}},
		{"no such file", []string{"up", "--dir", dir, "--objects", filepath.Join(dir, "none.yaml")}},
		{"exclude each other", []string{"up", "--dir", dir, "--detach", "--until-eof"}},
	} {
		output, status := devcluster(t, test.args...)
		if status != 2 || !strings.HasPrefix(output, "devcluster: ") || !strings.Contains(output, test.want) {
			t.Errorf("devcluster %v: status %d, want 2 and %q:\n%s", test.args, status, test.want, output)
		}
	}
}

func TestForeignFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if output, status := devcluster(t, "up", "--rm", "--dir", dir); status != 1 || !strings.Contains(output, "is not empty") {
		t.Errorf("status %d:\n%s", status, output)
	}
}
