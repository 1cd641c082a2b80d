package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// clusterGrace is how long a cluster may take to end. It holds nothing that is needed again after a kill.
const clusterGrace = 20 * time.Second

// platform is what a cluster has before any application comes.
//
//go:embed platform.yaml
var platform []byte

// cluster is a Kubernetes API server of this machine: devcluster, as a process of its own.
type cluster struct {
	name, dir, binary string
	alive             io.Closer     // it ends with its input, that is with the demo, however that ends
	ended             chan struct{} // closed when the process has ended
	process           *os.Process
}

// startClusters starts the clusters and writes the kubeconfig that has them all.
func (w *world) startClusters(ctx context.Context, binary string, names ...string) error {
	binary, err := filepath.Abs(binary)
	if err != nil {
		return fmt.Errorf("find %s: %w", binary, err)
	}
	objects := filepath.Join(w.dir, "platform.yaml")
	if err := os.WriteFile(objects, platform, 0o600); err != nil {
		return fmt.Errorf("write the objects of the platform: %w", err)
	}
	var configs []string
	for _, name := range names {
		c := &cluster{name: name, dir: filepath.Join(w.dir, "cluster-"+name), binary: binary}
		w.clusters = append(w.clusters, c)
		configs = append(configs, c.kubeconfig())
	}
	if err := each(w.clusters, func(c *cluster) error { return c.start(ctx, "--objects", objects) }); err != nil {
		return err
	}
	merged, err := w.clusters[0].run(ctx, "KUBECONFIG="+strings.Join(configs, string(filepath.ListSeparator)), "", "config", "view", "--flatten")
	if err != nil {
		return err
	}
	if err := os.WriteFile(w.kubeconfig(), []byte(merged), 0o600); err != nil {
		return fmt.Errorf("write the kubeconfig of all clusters: %w", err)
	}
	return nil
}

// kubeconfig is the file that mergegate gets; its contexts are the clusters.
func (w *world) kubeconfig() string { return filepath.Join(w.dir, "kubeconfig") }

func (w *world) cluster(name string) *cluster {
	for _, c := range w.clusters {
		if c.name == name {
			return c
		}
	}
	return &cluster{name: name} // its kubectl says that there is none
}

// each does something with all clusters at the same time.
func each(all []*cluster, work func(*cluster) error) error {
	failed := make(chan error, len(all))
	for _, c := range all {
		go func() { failed <- work(c) }()
	}
	var errs []error
	for range all {
		errs = append(errs, <-failed)
	}
	return errors.Join(errs...)
}

func (c *cluster) kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

func (c *cluster) logFile() string { return c.dir + ".log" }

// start starts the cluster, with the objects that it had before, and waits until it is ready.
func (c *cluster) start(ctx context.Context, flags ...string) error {
	log, err := os.Create(c.logFile())
	if err != nil {
		return fmt.Errorf("make the log of cluster %s: %w", c.name, err)
	}
	defer log.Close() //nolint:errcheck // the process has its own handle of it
	args := append([]string{"up", "--dir", c.dir, "--name", c.name, "--with", "etcd,apiserver", "--until-eof"}, flags...)
	// Not bound to the context: it ends in order when its input does, and close sees to it that it does.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), c.binary, args...)
	cmd.Stderr = log
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start cluster %s: %w", c.name, err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start cluster %s: %w", c.name, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start cluster %s: %w", c.name, err)
	}
	c.alive, c.process, c.ended = in, cmd.Process, make(chan struct{})
	ready := make(chan error, 1)
	go func() {
		_, err := bufio.NewReader(out).ReadString('\n') // the path of its kubeconfig, once it is ready
		ready <- err
		_ = cmd.Wait() // why it ended stands in its log
		close(c.ended)
	}()
	select {
	case err := <-ready:
		if err != nil {
			return fmt.Errorf("start cluster %s: %w: %s", c.name, err, c.lastWords())
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lastWords is the end of the cluster's log.
func (c *cluster) lastWords() string {
	data, err := os.ReadFile(c.logFile())
	if err != nil {
		return "it left no log"
	}
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-5):], []byte("\n")))
}

// stop ends the cluster and keeps what it holds.
func (c *cluster) stop() error {
	if c.process == nil {
		return nil
	}
	_ = c.alive.Close() // it may have ended by itself
	select {
	case <-c.ended:
		return nil
	case <-time.After(clusterGrace):
	}
	if err := c.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop cluster %s: %w", c.name, err)
	}
	<-c.ended
	return fmt.Errorf("cluster %s did not stop within %s and was killed", c.name, clusterGrace)
}

// kubectl runs kubectl as the cluster's administrator.
func (c *cluster) kubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	return c.run(ctx, "KUBECONFIG="+c.kubeconfig(), stdin, args...)
}

func (c *cluster) run(ctx context.Context, kubeconfig, stdin string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.binary, append([]string{"kubectl"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(c.dir), kubeconfig}
	var said, complained bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &said, &complained
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("kubectl %s in %s: %w: %s", strings.Join(args, " "), c.name, err, strings.TrimSpace(complained.String()))
	}
	return said.String(), nil
}
