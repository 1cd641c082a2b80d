// Command demo shows mergegate at work on this machine, without an account: it starts the local GitHub, Kubernetes
// API servers with what the sample runs, and the real mergegate program as the App, opens pull requests, and prints
// what people would see of them. What it says it checks: it exits with 0 only when everything was as it should be.
//
// It knows the local GitHub, devcluster, mergegate's settings and GitHub's REST API as people use it. It must not
// know how mergegate works inside.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The exit codes.
const (
	exitHeld        = 0
	exitDiffers     = 1 // an expectation did not hold, or something broke
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], newScreen(os.Stdout))
	stop()
	os.Exit(code)
}

// options is the command line.
type options struct {
	binary, sample   string
	devcluster       string
	repo, base, head string
	keep             bool
	patience         time.Duration
}

func parseOptions(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.binary, "bin", filepath.Join("bin", "mergegate"), "the mergegate program")
	flags.StringVar(&o.sample, "sample", filepath.Join("testdata", "sample"), "directory of the GitOps repository to show")
	flags.StringVar(&o.devcluster, "devcluster", filepath.Join("bin", "devcluster"), "the program that is the sample's clusters")
	flags.StringVar(&o.repo, "repo", "", "show this git repository instead of the sample")
	flags.StringVar(&o.base, "base", "", "with --repo: the revision that the pull request goes into")
	flags.StringVar(&o.head, "head", "", "with --repo: the revision that it proposes")
	flags.BoolVar(&o.keep, "keep", false, "leave everything running at the end, to look at it in a browser")
	flags.DurationVar(&o.patience, "patience", time.Minute, "how long to wait for one thing")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if own := o.repo != ""; own != (o.base != "") || own != (o.head != "") {
		return o, errors.New("--repo, --base and --head go together: make demo REPO=DIR BASE=REV HEAD=REV")
	}
	if info, err := os.Stat(o.binary); err != nil || info.IsDir() {
		return o, fmt.Errorf("no program at --bin %s: run make build first", o.binary)
	}
	if info, err := os.Stat(o.devcluster); o.repo == "" && (err != nil || info.IsDir()) {
		return o, fmt.Errorf("no program at --devcluster %s: run make devcluster first", o.devcluster)
	}
	return o, nil
}

// run shows the demo and returns the exit code.
func run(ctx context.Context, args []string, s *screen) int {
	o, err := parseOptions(args, s.out)
	if errors.Is(err, flag.ErrHelp) {
		return exitHeld
	}
	if err != nil {
		s.line("demo: %v", err)
		return exitUsage
	}
	dir, err := os.MkdirTemp("", "mergegate-demo-")
	if err != nil {
		s.line("demo: make a directory for the demo's data: %v", err)
		return exitDiffers
	}
	w := &world{dir: dir, binary: o.binary, patience: o.patience}
	err = show(ctx, o, w, s)
	code := verdict(ctx, err, w, s)
	if err := w.close(); err != nil {
		s.line("demo: clean up: %v", err)
		code = max(code, exitDiffers)
	}
	return code
}

// show runs the story that the options ask for, and then waits for whoever looks at its pages.
func show(ctx context.Context, o options, w *world, s *screen) error {
	d := &demo{options: o, world: w, screen: s}
	story := d.sampleStory
	if o.repo != "" {
		story = d.ownStory
	}
	if err := story(ctx); err != nil {
		return err
	}
	if o.keep {
		d.keepOpen(ctx)
		return d.claims.broken()
	}
	return errors.Join(ctx.Err(), d.claims.broken())
}

// verdict says how it went and turns it into an exit code. What can help to understand a failure is shown
// before it is removed.
func verdict(ctx context.Context, err error, w *world, s *screen) int {
	switch {
	case err == nil:
		return exitHeld
	case ctx.Err() != nil:
		s.line("\nInterrupted: stopping everything.")
		return exitInterrupted
	}
	s.line("\n%s", red("FAILED"))
	for _, l := range strings.Split(err.Error(), "\n") {
		s.line("  %s", clean(l))
	}
	if tail := w.logTail(logLines); len(tail) > 0 {
		s.line("The last lines of mergegate's log:")
		s.block("  ", tail)
	}
	return exitDiffers
}

// logLines is how much of mergegate's log a failure shows.
const logLines = 25

// plural counts things.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
