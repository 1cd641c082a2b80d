package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// cluster is a control plane with its processes.
type cluster struct {
	dir   folder
	name  string
	with  []string
	ports *ports

	end      func(error) // called when a program ends by itself
	stopping atomic.Bool
	store    []*child // etcd
	server   []*child // kube-apiserver, which needs the store to stop well
	clients  []*child // all others, which need the server
}

// start brings everything up, in order, and returns when it can be used.
func (c *cluster) start(ctx context.Context, objects []string, stderr io.Writer) error {
	started := time.Now()
	if err := c.write(); err != nil {
		return err
	}
	if err := c.run(&c.store, c.etcd()); err != nil {
		return err
	}
	if err := c.run(&c.server, c.apiserver()); err != nil {
		return err
	}
	api, err := connect(c.dir.kubeconfig())
	if err != nil {
		return err
	}
	if err := api.awaitServer(ctx); err != nil {
		return err
	}
	if err := c.startClients(ctx, api); err != nil {
		return err
	}
	if err := api.createAll(ctx, objects); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "devcluster: %s is ready after %.1f s: %s; logs are in %s\n",
		c.name, time.Since(started).Seconds(), strings.Join(c.with, ", "), c.dir.path("logs"))
	return nil
}

// write writes every file that the programs read.
func (c *cluster) write() error {
	for _, stale := range []string{"ready", "processes"} {
		if err := os.Remove(c.dir.path(stale)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what the last time left: %w", err)
		}
	}
	var err error
	if c.ports, err = choosePorts(c.dir); err != nil {
		return err
	}
	if err := c.writeIdentities(); err != nil {
		return err
	}
	return c.writeStages()
}

// startClients starts what works on the API server, and waits until it does.
func (c *cluster) startClients(ctx context.Context, api *api) error {
	if c.has("controller-manager") {
		if err := c.run(&c.clients, c.controllerManager()); err != nil {
			return err
		}
	}
	if c.has("scheduler") {
		if err := c.run(&c.clients, c.scheduler()); err != nil {
			return err
		}
	}
	if c.has("kwok") {
		if err := api.makeNode(ctx); err != nil {
			return err
		}
		if err := c.run(&c.clients, c.kwok()); err != nil {
			return err
		}
		if err := api.awaitNode(ctx); err != nil {
			return err
		}
	}
	if c.has("controller-manager") {
		return api.awaitControllers(ctx)
	}
	return nil
}

func (c *cluster) has(part string) bool { return slices.Contains(c.with, part) }

// run starts a program; when it ends before its time, the whole cluster does.
func (c *cluster) run(group *[]*child, program program) error {
	started, err := spawn(c.dir, program)
	if err != nil {
		return err
	}
	*group = append(*group, started)
	go func() {
		<-started.exited
		if !c.stopping.Load() {
			c.end(started.ended(c.dir))
		}
	}()
	return c.record(started)
}

// record adds a process to the list that status shows.
func (c *cluster) record(started *child) error {
	list, err := os.OpenFile(c.dir.path("processes"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("list process: %w", err)
	}
	_, err = fmt.Fprintf(list, "%s %d\n", started.name, started.cmd.Process.Pid)
	if err := errors.Join(err, list.Close()); err != nil {
		return fmt.Errorf("list process: %w", err)
	}
	return nil
}

// stop ends everything, in the order in which it is needed least.
func (c *cluster) stop() {
	c.stopping.Store(true)
	_ = os.Remove(c.dir.path("ready")) // it may not be there yet
	groups := [][]*child{c.clients, c.server, c.store}
	patience := 15 * time.Second
	if slices.ContainsFunc(slices.Concat(groups...), (*child).isGone) {
		patience = time.Second // an API server waits in vain for its store
	}
	for _, group := range groups {
		stop(group, patience)
	}
}
