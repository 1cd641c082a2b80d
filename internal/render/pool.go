package render

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/mergegate/mergegate/internal/manifest"
)

// Pool keeps the worker processes. Its methods may be called from many goroutines; each call waits
// for a free worker.
type Pool struct {
	cfg   Config
	slots chan *process // one element per worker; nil: not started

	mu     sync.Mutex
	closed bool
}

// New makes a pool. Workers start when they are first needed.
func New(cfg Config) (*Pool, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Pool{cfg: cfg, slots: make(chan *process, cfg.Workers)}
	for range cfg.Workers {
		p.slots <- nil
	}
	return p, nil
}

var errClosed = errors.New("render: the pool is closed")

// Close waits for the applications that are being rendered and ends all workers. It may be called
// more than once.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	var all []error
	for range p.cfg.Workers {
		if w := <-p.slots; w != nil {
			all = append(all, w.close())
		}
	}
	close(p.slots)
	return errors.Join(all...)
}

// Render renders one application. The error is an [*Error] where the application could not be
// rendered, and the context's where that ended first. Result.Inputs is set in both cases.
func (p *Pool) Render(ctx context.Context, req Request) (Result, error) {
	answer, inputs, err := p.call(ctx, frameRender, req, wireRequest{Path: req.Path, Type: req.Type, Files: req.Files})
	if err != nil {
		return Result{Inputs: inputs}, err
	}
	result := Result{Inputs: answer.Inputs, Skipped: answer.Skipped}
	if answer.Error != nil {
		return result, answer.Error
	}
	result.Objects, err = decodeObjects(answer.Objects)
	if err != nil {
		return result, &Error{Class: ClassCrash, Message: display(req.Path) + ": the render worker gave an answer that cannot be read: report this as a bug"}
	}
	return result, nil
}

// Locate says for each query in which file and line of the application's files the field was set,
// nil where that is not known.
func (p *Pool) Locate(ctx context.Context, req Request, queries []Query) ([]*manifest.Location, error) {
	if len(queries) == 0 {
		return nil, nil
	}
	body := wireRequest{Path: req.Path, Type: req.Type, Files: req.Files}
	body.addQueries(queries)
	answer, _, err := p.call(ctx, frameLocate, req, body)
	if err != nil {
		return nil, err
	}
	if answer.Error != nil {
		return nil, answer.Error
	}
	if len(answer.Locations) != len(queries) {
		return nil, fmt.Errorf("locate fields of %s: %d locations for %d queries", req.Path, len(answer.Locations), len(queries))
	}
	return answer.Locations, nil
}

// call lets a free worker answer one request. The inputs are what the worker asked for, for a
// worker that gave no answer.
func (p *Pool) call(ctx context.Context, kind frameKind, req Request, body wireRequest) (wireResult, []string, error) {
	if err := checkRequest(req); err != nil {
		return wireResult{}, nil, err
	}
	payload, err := json.Marshal(body)
	if err != nil {
		return wireResult{}, nil, fmt.Errorf("render %s: encode request: %w", req.Path, err)
	}
	var w *process
	select {
	case <-ctx.Done():
		return wireResult{}, nil, fmt.Errorf("render %s: %w", req.Path, ctx.Err())
	case got, open := <-p.slots:
		if !open {
			return wireResult{}, nil, errClosed
		}
		w = got
	}
	defer func() { p.slots <- w }()
	if w == nil {
		if w, err = start(p.cfg); err != nil {
			return wireResult{}, nil, fmt.Errorf("render %s: %w", req.Path, err)
		}
	}
	limited, cancel := context.WithTimeoutCause(ctx, p.cfg.Timeout, errTimeout)
	defer cancel()
	server := &treeServer{tree: req.Tree, limit: p.cfg.Output}
	answer, err := w.converse(limited, server, kind, payload)
	if err != nil {
		err = p.explain(limited, req, w.end(err))
		w = nil
	}
	return answer, server.asked(), err
}

var errTimeout = errors.New("the application's time is up")

// checkRequest refuses what no caller should ask for.
func checkRequest(req Request) error {
	if req.Tree == nil {
		return fmt.Errorf("render %s: no tree", req.Path)
	}
	if req.Type != TypeKustomize && req.Type != TypeYAML {
		return fmt.Errorf("render %s: unknown type %q, want %s or %s", req.Path, req.Type, TypeKustomize, TypeYAML)
	}
	for _, name := range append([]string{cmp.Or(req.Path, "/")}, req.Files...) {
		if path.IsAbs(name) || path.Clean(name) != name || name == ".." || len(name) > 3 && name[:3] == "../" {
			return fmt.Errorf("render %q: %q is not a path in a repository", req.Path, name)
		}
	}
	return nil
}

// explain says why a worker gave no answer.
func (p *Pool) explain(ctx context.Context, req Request, end ending) error {
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTimeout) {
		return fmt.Errorf("render %s: %w", req.Path, ctx.Err())
	}
	e := &Error{}
	switch {
	case ctx.Err() != nil:
		e.Class = ClassTimeout
		e.Message = fmt.Sprintf("not rendered within %s and stopped: make the application smaller or raise the time budget", p.cfg.Timeout.Round(time.Millisecond))
	case end == endedOutOfMemory:
		e.Class = ClassMemory
		e.Message = fmt.Sprintf("needs more than %s of memory to render and was stopped: look for YAML anchors that multiply, make the application smaller or raise the memory budget", size(p.cfg.Memory))
	case end == endedOversized:
		e = outputError(p.cfg.Output)
	case end == endedDisobedient:
		e.Class = ClassCrash
		e.Message = "the render worker broke its protocol and was stopped: report this as a bug"
	default:
		e.Class = ClassCrash
		e.Message = "the render worker crashed on this application: report this as a bug"
	}
	e.Message = display(req.Path) + ": " + e.Message
	return e
}

// sortedKeys are the keys of m in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
