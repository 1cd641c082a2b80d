package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"
)

// options are the flags of up.
type options struct {
	dir, name                string
	with, objects            []string
	detach, untilEOF, remove bool
}

// parts are what --with may name, in the order in which they start. The first two are always there.
func parts() []string {
	return []string{"etcd", "apiserver", "controller-manager", "scheduler", "kwok"}
}

func parseUp(args []string, stdout io.Writer) (options, bool, error) {
	var opts options
	flags := pflag.NewFlagSet("up", pflag.ContinueOnError)
	flags.StringVar(&opts.dir, "dir", "", "folder of the cluster, made if it is not there")
	flags.StringVar(&opts.name, "name", "devcluster", "name of the cluster, its user and its context in the kubeconfig")
	flags.StringSliceVar(&opts.with, "with", parts(), "what to run; etcd and apiserver always are")
	flags.StringArrayVar(&opts.objects, "objects", nil, "YAML or JSON file, or folder of such, of objects to create unless they exist; may be repeated")
	flags.BoolVar(&opts.detach, "detach", false, "return when the cluster is ready, and leave it running")
	flags.BoolVar(&opts.untilEOF, "until-eof", false, "stop also when standard input ends, that is with whoever holds its other end")
	flags.BoolVar(&opts.remove, "rm", false, "remove the folder after the stop")
	if proceed, err := parse(flags, args, stdout); !proceed {
		return opts, false, err
	}
	for _, name := range opts.with {
		if !slices.Contains(parts(), name) {
			return opts, false, usageError{fmt.Errorf("up: --with: there is no %q: %s", name, strings.Join(parts(), ", "))}
		}
	}
	if opts.name == "" {
		return opts, false, usageError{errors.New("up: --name is empty")}
	}
	if opts.detach && opts.untilEOF {
		return opts, false, usageError{errors.New("up: --detach and --until-eof exclude each other")}
	}
	for _, path := range opts.objects {
		if _, err := os.Stat(path); err != nil {
			return opts, false, usageError{fmt.Errorf("up: --objects: %w", err)}
		}
	}
	return opts, true, nil
}

func up(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	opts, proceed, err := parseUp(args, stdout)
	if !proceed {
		return err
	}
	dir, err := openFolder(opts.dir)
	if err != nil {
		return err
	}
	if err := dir.prepare(); err != nil {
		return err
	}
	if opts.detach {
		return detach(dir, opts, stdout)
	}
	if !opts.untilEOF {
		stdin = nil
	}
	return serve(dir, opts, stdin, stdout, stderr)
}

// serve runs the cluster until a signal comes, input ends or a program does.
func serve(dir folder, opts options, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	runtime.LockOSThread() // the children die with this thread; main's lives as long as the process
	lock, err := dir.lock()
	if err != nil {
		return err
	}
	defer lock.Close() // it is only read now
	if opts.remove {
		defer func() { err = errors.Join(err, os.RemoveAll(string(dir))) }()
	}
	alive, end := context.WithCancelCause(context.Background())
	defer end(nil)
	ctx, stopSignals := signal.NotifyContext(alive, syscall.SIGTERM, syscall.SIGINT)
	defer stopSignals()
	if stdin != nil {
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // its end is all that matters
			end(errStopped)
		}()
	}
	running := &cluster{dir: dir, name: opts.name, with: opts.with, end: end}
	defer running.stop()
	err = running.start(ctx, opts.objects, stderr)
	if err == nil {
		err = announce(dir, stdout)
	}
	if err == nil {
		<-ctx.Done()
		err = context.Cause(alive)
	}
	stopSignals() // the next signal ends this process, and so everything, at once
	if errors.Is(err, errStopped) {
		return nil
	}
	return err
}

// errStopped is why a cluster ends that somebody has stopped by closing its input.
var errStopped = errors.New("standard input ended")

// announce tells the world that the cluster is ready.
func announce(dir folder, stdout io.Writer) error {
	if err := os.WriteFile(dir.path("ready"), []byte(dir.kubeconfig()+"\n"), 0o600); err != nil {
		return fmt.Errorf("write ready file: %w", err)
	}
	if _, err := fmt.Fprintln(stdout, dir.kubeconfig()); err != nil {
		return fmt.Errorf("print path of the kubeconfig: %w", err)
	}
	return nil
}
