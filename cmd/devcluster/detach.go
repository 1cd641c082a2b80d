package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// detach runs up once more, in a session of its own, and returns when that is ready: when it has
// printed the path of its kubeconfig.
func detach(dir folder, opts options, stdout io.Writer) error {
	if pid, err := dir.owner(); err != nil || pid != 0 {
		return errors.Join(err, alreadyRuns(dir, pid))
	}
	args := []string{"devcluster", "up", "--dir", string(dir), "--name", opts.name, "--with", strings.Join(opts.with, ",")}
	for _, path := range opts.objects {
		args = append(args, "--objects", path)
	}
	if opts.remove {
		args = append(args, "--rm")
	}
	log, err := os.Create(dir.log("devcluster"))
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer log.Close() // the child has its own
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = args
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	kubeconfig, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		if said, err := os.ReadFile(log.Name()); err == nil {
			return errors.New(strings.TrimPrefix(strings.TrimSpace(string(said)), "devcluster: "))
		}
		return fmt.Errorf("start in the background: %w", cmd.Wait())
	}
	_, err = io.WriteString(stdout, kubeconfig)
	return err
}
