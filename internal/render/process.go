package render

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// process is one running worker. It answers one request at a time.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	words  *lastWords
	limit  int64
}

// ending says how a worker that gave no answer ended.
type ending int

const (
	endedByCrash ending = iota
	endedOutOfMemory
	endedOversized
	endedDisobedient
)

// exitMemory is the code with which a worker ends itself when it is over its memory budget.
const exitMemory = 71

// start runs a worker and waits until it is isolated.
func start(cfg Config) (*process, error) {
	cmd := exec.Command(cfg.Command[0], cfg.Command[1:]...) //nolint:gosec // the program's own binary
	cmd.Env = []string{}
	cmd.Dir = "/"
	p := &process{cmd: cmd, words: &lastWords{}, limit: cfg.Output + frameOverhead}
	cmd.Stderr = p.words
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start render worker: %w", err)
	}
	if p.stdout, err = cmd.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("start render worker: %w", err)
	}
	if err = cmd.Start(); err != nil {
		return nil, fmt.Errorf("start render worker: %w", err)
	}
	late := time.AfterFunc(cfg.Timeout, p.kill)
	defer late.Stop()
	if err = p.greet(cfg); err != nil {
		p.end(err)
		return nil, fmt.Errorf("start render worker %s: no answer to the greeting: %w", cfg.Command[0], err)
	}
	return p, nil
}

// greet tells the worker its limits and waits for its readiness.
func (p *process) greet(cfg Config) error {
	if err := writeJSON(p.stdin, frameHello, wireLimits{Memory: cfg.Memory, Output: cfg.Output}); err != nil {
		return err
	}
	kind, _, err := readFrame(p.stdout, maxPath)
	if err != nil {
		return err
	}
	if kind != frameHello {
		return errDisobedient
	}
	return nil
}

var errDisobedient = errors.New("unexpected frame from the worker")

// converse sends a request, gives the worker the files that it asks for and returns its answer.
// When ctx ends, the worker is killed. After an error the worker must be ended.
func (p *process) converse(ctx context.Context, server *treeServer, kind frameKind, payload []byte) (wireResult, error) {
	stop := context.AfterFunc(ctx, p.kill)
	answer, err := p.exchange(server, kind, payload)
	if !stop() && err == nil {
		err = context.Cause(ctx) // killed or about to be: not to be used again
	}
	return answer, err
}

func (p *process) exchange(server *treeServer, kind frameKind, payload []byte) (answer wireResult, err error) {
	if err = writeFrame(p.stdin, kind, payload); err != nil {
		return answer, err
	}
	for {
		kind, payload, err := readFrame(p.stdout, p.limit)
		if err != nil {
			return answer, err
		}
		switch kind {
		case frameReadDir, frameRead:
			err = server.serve(p.stdin, kind, payload)
		case frameResult:
			return answer, json.Unmarshal(payload, &answer)
		default:
			err = errDisobedient
		}
		if err != nil {
			return answer, err
		}
	}
}

// kill ends the process at once. Its death shows to the conversation as the end of its output.
func (p *process) kill() {
	// The process may have ended by itself: then there is nothing left to kill.
	_ = p.cmd.Process.Kill()
}

// end kills the worker, waits for it and says why the conversation failed.
func (p *process) end(cause error) ending {
	var oversized *frameSizeError
	disobeyed := errors.Is(cause, errDisobedient)
	p.closeStdin()
	p.kill() // one that ended by itself keeps its own exit code
	err := p.wait()
	var exit *exec.ExitError
	switch {
	case errors.As(cause, &oversized):
		return endedOversized
	case disobeyed:
		return endedDisobedient
	case errors.As(err, &exit) && exit.ExitCode() == exitMemory, p.words.sayOutOfMemory():
		return endedOutOfMemory
	}
	return endedByCrash
}

// close lets an idle worker end by itself.
func (p *process) close() error {
	p.closeStdin()
	if err := p.wait(); err != nil {
		return fmt.Errorf("end render worker: %w", err)
	}
	return nil
}

func (p *process) closeStdin() {
	// A worker that is dead already has closed its end; that is what is wanted.
	_ = p.stdin.Close()
}

// wait reads what the worker still says, so that it cannot hang on a full pipe, and reaps it.
func (p *process) wait() error {
	if _, err := io.Copy(io.Discard, p.stdout); err != nil {
		p.kill()
	}
	return p.cmd.Wait()
}

// lastWords looks at what a worker writes to standard error for the Go runtime's words that tell a
// refused allocation from a crash. The text may quote content: it is not kept.
type lastWords struct {
	mu          sync.Mutex
	carry       []byte // the end of the last write
	outOfMemory bool
}

// Write never fails.
func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := append(l.carry, p...)
	for _, sign := range []string{"out of memory", "cannot allocate memory", "errno=12"} {
		l.outOfMemory = l.outOfMemory || bytes.Contains(text, []byte(sign))
	}
	l.carry = append([]byte(nil), text[max(0, len(text)-32):]...)
	return len(p), nil
}

func (l *lastWords) sayOutOfMemory() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outOfMemory
}
