// Package clustertest gives tests a real Kubernetes control plane: cmd/devcluster, as a process of
// its own. It knows how to start and stop that, and nothing about Kubernetes' API. No test is skipped
// for want of one: where there is no binary it is built, and where that fails the test does.
package clustertest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Variable names the kubeconfig of a running cluster of devcluster, in its folder: the one that Start
// then gives instead of starting one.
const Variable = "MERGEGATE_DEVCLUSTER_KUBECONFIG"

// Cluster is a running control plane.
type Cluster struct {
	// Kubeconfig is the path of the administrator's kubeconfig, of one context.
	Kubeconfig string
	// Dir is the folder of the cluster. ca.crt and ca.key in it serve to issue client certificates.
	Dir string

	process *process // nil when somebody else runs it
}

// Options are of a cluster of a test's own.
type Options struct {
	// ControlPlaneOnly leaves out controllers, scheduler and node: nothing moves by itself.
	ControlPlaneOnly bool
	// Name is the name of the context in the kubeconfig; devcluster when it is empty.
	Name string
}

// shared is the cluster of this test process, once it is started.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

// Start is the cluster that all tests of this process share, or all of the machine when Variable is
// set. A test takes a namespace of its own in it. It is stopped by Main, or else soon after the
// process has ended, however it does.
func Start(t testing.TB) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = startShared(t)
	}
	if shared.err != nil {
		t.Fatalf("this test needs a Kubernetes control plane: %v", shared.err)
	}
	return shared.cluster
}

// Main runs the tests of a package, stops the shared cluster if one was started, and is the exit
// status: func TestMain(m *testing.M) { os.Exit(clustertest.Main(m)) }.
func Main(m *testing.M) int {
	status := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil || shared.cluster.process == nil {
		return status
	}
	if err := shared.cluster.process.stop(); err != nil {
		fmt.Fprintf(os.Stderr, "the cluster of these tests: %v\n", err)
		return max(status, 1)
	}
	return status
}

// New starts a cluster for one test, which ends with it.
func New(t testing.TB, opts Options) *Cluster {
	t.Helper()
	cluster, err := start(t, t.TempDir(), opts)
	if err != nil {
		t.Fatalf("this test needs a Kubernetes control plane: %v", err)
	}
	t.Cleanup(func() {
		if err := cluster.process.stop(); err != nil {
			t.Errorf("the cluster of this test: %v", err)
		}
	})
	return cluster
}

// Stop takes away a cluster that [New] gave, before the test ends.
func (c *Cluster) Stop(t testing.TB) {
	t.Helper()
	if err := c.process.stop(); err != nil {
		t.Fatalf("take the cluster away: %v", err)
	}
}

func startShared(t testing.TB) (*Cluster, error) {
	t.Helper()
	if running := os.Getenv(Variable); running != "" {
		if _, err := os.Stat(running); err != nil {
			return nil, fmt.Errorf("%s names no running one: %w", Variable, err)
		}
		return &Cluster{Kubeconfig: running, Dir: filepath.Dir(running)}, nil
	}
	dir, err := sharedDir()
	if err != nil {
		return nil, err
	}
	return start(t, dir, Options{}, "--rm")
}

// sharedDir outlives the test that happens to be the first.
func sharedDir() (string, error) { return os.MkdirTemp("", "mergegate-cluster-") }

func start(t testing.TB, dir string, opts Options, flags ...string) (*Cluster, error) {
	t.Helper()
	args := append([]string{"up", "--dir", dir, "--until-eof"}, flags...)
	if opts.Name != "" {
		args = append(args, "--name", opts.Name)
	}
	if opts.ControlPlaneOnly {
		args = append(args, "--with", "etcd,apiserver")
	}
	started, err := run(Binary(t), args...)
	if err != nil {
		return nil, err
	}
	return &Cluster{Kubeconfig: filepath.Join(dir, "kubeconfig"), Dir: dir, process: started}, nil
}
