package clustertest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// process is a running devcluster up. It ends when its standard input does, which this process holds,
// so that it never outlives it.
type process struct {
	cmd    *exec.Cmd
	alive  io.Closer
	said   bytes.Buffer // to be read after exited is closed
	exited chan struct{}
	err    error // likewise
	ending func() error
}

// run starts devcluster up and returns when the cluster is ready.
func run(binary string, args ...string) (*process, error) {
	started := &process{cmd: exec.Command(binary, args...), exited: make(chan struct{})}
	started.cmd.Stderr = &started.said
	started.ending = sync.OnceValue(started.end)
	alive, err := started.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start devcluster: %w", err)
	}
	started.alive = alive
	output, err := started.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start devcluster: %w", err)
	}
	if err := started.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start devcluster: %w", err)
	}
	_, unready := bufio.NewReader(output).ReadString('\n') // it prints a line when it is ready
	go func() {
		started.err = started.cmd.Wait()
		close(started.exited)
	}()
	if unready == nil {
		return started, nil
	}
	<-started.exited
	return nil, fmt.Errorf("start devcluster: %w\n%s", started.err, started.said.String())
}

// stop ends the cluster and waits for that; a second call only waits. It is an error when it had ended
// by itself.
func (p *process) stop() error { return p.ending() }

func (p *process) end() error {
	const patience = time.Minute
	if err := p.alive.Close(); err != nil {
		return fmt.Errorf("stop devcluster: %w", err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill() // its children end with it
		<-p.exited
		return fmt.Errorf("stop devcluster: it took more than %s\n%s", patience, p.said.String())
	}
	if p.err != nil {
		return fmt.Errorf("stop devcluster: %w\n%s", p.err, p.said.String())
	}
	return nil
}
