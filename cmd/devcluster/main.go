// Command devcluster runs a real Kubernetes control plane on this machine, without containers:
// etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, which plays the nodes and
// the pods on them. All of them are in this one binary, which starts itself once for each. It is for
// tests, benchmarks and the demonstration; mergegate itself imports nothing of it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
)

const usage = `devcluster runs a Kubernetes control plane on this machine, for tests.

  devcluster up --dir DIR [--name NAME] [--with LIST] [--objects PATH]... [--detach]
                                      start it; prints the path of the kubeconfig when it is ready
  devcluster down --dir DIR           stop it
  devcluster status --dir DIR         say whether it runs, and as which processes
  devcluster kubectl ...              kubectl, of the same version

DIR keeps everything: kubeconfig, ca.crt and ca.key, data, logs. Started again in the same DIR, it
has the objects it had. "devcluster up --help" lists all flags.

Exit status: 0 done, 1 failed (status: nothing runs), 2 wrong usage.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		if program := programNamed(args[0]); program != nil {
			os.Args = args // what the programs read
			return program()
		}
	}
	err := command(args, stdin, stdout, stderr)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "devcluster: %v\n", err)
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

func command(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return usageError{errors.New("say what to do: up, down, status or kubectl (--help tells more)")}
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "up":
		return up(rest, stdin, stdout, stderr)
	case "down":
		return down(rest, stdout)
	case "status":
		return status(rest, stdout)
	case "help", "-h", "--help":
		_, err := io.WriteString(stdout, usage)
		return err
	default:
		return usageError{fmt.Errorf("there is no command %q: up, down, status or kubectl", verb)}
	}
}

// usageError is an error of whoever called the program.
type usageError struct{ error }

// parse reads flags. It answers false when help was asked for and given.
func parse(flags *pflag.FlagSet, args []string, stdout io.Writer) (bool, error) {
	flags.SetOutput(stdout)
	flags.Usage = func() { fmt.Fprintf(stdout, "devcluster %s:\n%s", flags.Name(), flags.FlagUsages()) }
	err := flags.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return false, nil
	case err != nil:
		return false, usageError{fmt.Errorf("%s: %w", flags.Name(), err)}
	case flags.NArg() > 0:
		return false, usageError{fmt.Errorf("%s: what is %q? It takes flags only", flags.Name(), flags.Arg(0))}
	}
	return true, nil
}
