// Command mergegate plans what a pull request changes in Kubernetes, judges it, and reports it: as a
// GitHub App (serve), and in a terminal or any CI (plan).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/render"
)

// The exit codes of every command.
const (
	exitPass           = 0
	exitRejected       = 1 // the gate says no
	exitInput          = 2 // usage, configuration, or content that cannot be evaluated
	exitInfrastructure = 3 // network, GitHub, cluster, database
)

const exitHelp = `
Exit status:
  0  pass
  1  the gate says no
  2  usage, configuration or repository content that cannot be evaluated
  3  infrastructure: network, GitHub, cluster, database`

// workerCommand is the hidden first argument with which the program renders one application after
// another in isolation. It is not a command for people.
const workerCommand = "render-worker"

func main() {
	if len(os.Args) == 2 && os.Args[1] == workerCommand {
		os.Exit(render.Worker(os.Stdin, os.Stdout))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], stdio{os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// stdio is where a command writes: results to out, everything else to err.
type stdio struct{ out, err io.Writer }

// exitError ends the program with a code. Its text may be empty: everything is said already.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// usage is an error of the command line.
func usage(format string, args ...any) error {
	return &exitError{exitInput, fmt.Sprintf(format, args...)}
}

// run runs the command line and returns the exit code.
func run(ctx context.Context, args []string, std stdio) int {
	root := &cobra.Command{
		Use:           "mergegate",
		Short:         "The pull request as the one controlled way to change what runs in Kubernetes",
		Long:          "mergegate plans what a pull request changes in Kubernetes, judges it by policies, and reports it.\n" + exitHelp,
		RunE:          needsCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetArgs(args)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%v (see '%s --help')", err, cmd.CommandPath())
	})
	root.AddCommand(planCommand(std), serveCommand(std), policyCommand(std), versionCommand(std))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitPass
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(std.err, "mergegate: "+text)
	}
	return exitCode(err)
}

// needsCommand is what a command does that only has others below it.
func needsCommand(cmd *cobra.Command, _ []string) error {
	return usage("name a command: see '%s --help'", cmd.CommandPath())
}

func exitCode(err error) int {
	var exit *exitError
	var input *pipeline.InputError
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &input):
		return exitInput
	case isUnknownCommand(err):
		return exitInput
	}
	return exitInfrastructure
}

// isUnknownCommand recognises cobra's own errors about arguments, which have no type.
func isUnknownCommand(err error) bool {
	for _, prefix := range []string{"unknown command", "accepts ", "requires at least", "required flag", "invalid argument"} {
		if len(err.Error()) >= len(prefix) && err.Error()[:len(prefix)] == prefix {
			return true
		}
	}
	return false
}
