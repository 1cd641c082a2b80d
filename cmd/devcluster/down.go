package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

// parseDir reads the one flag of commands that take only --dir.
func parseDir(verb string, args []string, stdout io.Writer) (folder, bool, error) {
	flags := pflag.NewFlagSet(verb, pflag.ContinueOnError)
	named := flags.String("dir", "", "folder of the cluster")
	if proceed, err := parse(flags, args, stdout); !proceed {
		return "", false, err
	}
	dir, err := openFolder(*named)
	return dir, err == nil, err
}

// down stops the cluster of a folder, and returns when it is gone.
func down(args []string, stdout io.Writer) error {
	dir, proceed, err := parseDir("down", args, stdout)
	if !proceed {
		return err
	}
	pid, err := dir.owner()
	if err != nil {
		return err
	}
	if pid == 0 {
		fmt.Fprintf(stdout, "nothing runs in %s\n", dir)
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop process %d: %w", pid, err)
	}
	return await(context.Background(), time.Minute, "the end of the cluster", func(context.Context) error {
		now, err := dir.owner()
		if err == nil && now == pid {
			return fmt.Errorf("process %d still runs", pid)
		}
		return err
	})
}
