package clustertest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// BinaryVariable names the devcluster to use, instead of bin/devcluster.
const BinaryVariable = "MERGEGATE_DEVCLUSTER"

// binary finds the program, once.
var binary = sync.OnceValues(findBinary)

// Binary is the path of devcluster. Where it is not built yet, it is.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatalf("this test needs devcluster, which %q builds: %v", "make devcluster", err)
	}
	return path
}

func findBinary() (string, error) {
	if named := os.Getenv(BinaryVariable); named != "" {
		return filepath.Abs(named)
	}
	root, err := repository()
	if err != nil {
		return "", err
	}
	built := filepath.Join(root, "bin", "devcluster")
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	fmt.Fprintln(os.Stderr, "bin/devcluster is missing and built now, which takes minutes if Go has not compiled Kubernetes before")
	started := time.Now()
	build := exec.Command(filepath.Join(root, "cmd", "devcluster", "build.sh"), built)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("build devcluster: %w", err)
	}
	fmt.Fprintf(os.Stderr, "bin/devcluster took %.0f s to build\n", time.Since(started).Seconds())
	return built, nil
}

// repository is the root of the repository in which the test runs.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "cmd", "devcluster", "build.sh")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find the repository's root: there is no cmd/devcluster/build.sh above this folder")
		}
		dir = parent
	}
}
