package main

import (
	"fmt"
	"io"
	"os"
)

// status prints whether a cluster runs, and its processes. When none runs, that is an error.
func status(args []string, stdout io.Writer) error {
	dir, proceed, err := parseDir("status", args, stdout)
	if !proceed {
		return err
	}
	pid, err := dir.owner()
	if err != nil {
		return err
	}
	if pid == 0 {
		return fmt.Errorf("nothing runs in %s", dir)
	}
	state := "ready"
	if _, err := os.Stat(dir.path("ready")); err != nil {
		state = "starting"
	}
	processes, err := os.ReadFile(dir.path("processes"))
	if err != nil && state == "ready" {
		return fmt.Errorf("read list of processes: %w", err)
	}
	fmt.Fprintf(stdout, "%s %s\ndevcluster %d\n%s", state, dir.kubeconfig(), pid, processes)
	return nil
}
