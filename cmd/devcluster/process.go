package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// program is one of the programs in this binary, with its arguments.
type program struct {
	name string
	args []string
}

// child is a running program.
type child struct {
	program
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended
	err    error         // why it ended; to be read after exited is closed
}

// spawn starts a program as a child that the kernel kills when the calling thread ends, so the
// caller has to be locked to a thread that lives as long as the process. Output is appended to the
// log. The child has a process group of its own, so that a terminal's ^C does not reach it: it is
// stopped in its turn.
func spawn(dir folder, program program) (*child, error) {
	log, err := os.OpenFile(dir.log(program.name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	defer log.Close() // the child has its own
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = append([]string{"devcluster", program.name}, program.args...)
	// Neither settings of etcd nor proxies nor a kubeconfig of the user reach it.
	cmd.Env = []string{"HOME=" + string(dir), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
	cmd.Dir = string(dir)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", program.name, err)
	}
	started := &child{program: program, cmd: cmd, exited: make(chan struct{})}
	go func() {
		started.err = cmd.Wait()
		close(started.exited)
	}()
	return started, nil
}

// ended says that the child has ended, which it should not have, with the last lines of its log.
func (c *child) ended(dir folder) error {
	reason := c.err
	if reason == nil {
		reason = errors.New("exit status 0")
	}
	return fmt.Errorf("%s ended: %w\n%s", c.name, reason, tail(dir.log(c.name)))
}

func (c *child) isGone() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// stop asks the children to end, kills those that do not in time, and returns when all are gone.
func stop(children []*child, patience time.Duration) {
	for _, child := range children {
		_ = child.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	}
	over := time.After(patience)
	for _, child := range children {
		select {
		case <-child.exited:
			continue
		case <-over:
		}
		_ = child.cmd.Process.Kill() // likewise
		<-child.exited
		over = time.After(0)
	}
}

// tail is the end of a log, indented.
func tail(log string) string {
	const most = 20
	text, err := os.ReadFile(log)
	if err != nil {
		return "  no log: " + err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	lines = lines[max(0, len(lines)-most):]
	return fmt.Sprintf("  the end of %s:\n  | %s", log, strings.Join(lines, "\n  | "))
}
