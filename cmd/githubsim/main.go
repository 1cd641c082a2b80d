// Command githubsim runs the local GitHub alone, so that curl, git and any GitHub client can be pointed at it.
// It wires internal/githubsim to flags and knows nothing else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mergegate/mergegate/internal/githubsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes.
const (
	exitOK    = 0
	exitUsage = 2
	exitFault = 3
)

// options are the flags.
type options struct {
	addr       string
	seed       string
	dir        string
	longTokens bool
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		complain(stderr, err)
		return exitUsage
	}
	seed, err := readSeed(o.seed)
	if err != nil {
		complain(stderr, err)
		return exitUsage
	}
	if err := serve(ctx, o, seed, stdout); err != nil {
		complain(stderr, err)
		return exitFault
	}
	return exitOK
}

// complain reports an error.
func complain(stderr io.Writer, err error) { say(stderr, "githubsim: "+err.Error()) }

// say writes a line to standard error. When that fails, the exit code still tells.
func say(stderr io.Writer, text string) { _, _ = fmt.Fprintln(stderr, text) }

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("githubsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:3000", "address to listen on")
	flags.StringVar(&o.seed, "seed", "", "YAML or JSON file with users, repositories and Apps to start with")
	flags.StringVar(&o.dir, "dir", "", "directory for git repositories and generated keys; default: a temporary one, removed at the end")
	flags.BoolVar(&o.longTokens, "long-tokens", false, "mint installation tokens of the newer form, about 520 characters")
	flags.Usage = func() {
		say(stderr, "Usage: githubsim [--addr HOST:PORT] [--seed FILE] [--dir DIR] [--long-tokens]\n\nRuns a local stand-in for GitHub until it is interrupted.\n\nFlags:")
		flags.PrintDefaults()
		say(stderr, "\nExit status: 0 after an interrupt, 2 for a wrong flag or seed, 3 when it cannot run.")
	}
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

func readSeed(path string) (githubsim.Seed, error) {
	if path == "" {
		return githubsim.Seed{}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return githubsim.Seed{}, fmt.Errorf("read seed: %w", err)
	}
	seed, err := githubsim.ParseSeed(text)
	if err != nil {
		return githubsim.Seed{}, fmt.Errorf("%s: %w", path, err)
	}
	return seed, nil
}

func serve(ctx context.Context, o options, seed githubsim.Seed, stdout io.Writer) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "githubsim"); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	s, err := githubsim.New(githubsim.Config{Dir: o.dir, Seed: seed, LongTokens: o.longTokens}) //nolint:contextcheck // Close ends it, not ctx
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Start(o.addr); err != nil {
		return err
	}
	if err := announce(s, o, seed, stdout); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// announce says where everything is, one fact a line, for people and scripts.
func announce(s *githubsim.Server, o options, seed githubsim.Seed, stdout io.Writer) error {
	text := fmt.Sprintf("url: %s\nrest: %s/api/v3\ndirectory: %s\n", s.URL(), s.URL(), o.dir)
	for _, app := range seed.Apps {
		text += fmt.Sprintf("app: %s id=%d key=%s\n", app.Slug, app.ID, s.PrivateKeyFile(app.Slug))
	}
	if _, err := io.WriteString(stdout, text); err != nil {
		return fmt.Errorf("write to standard output: %w", err)
	}
	return nil
}
