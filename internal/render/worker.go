package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"runtime"
	"runtime/debug"
)

// Worker is what the program runs when it is started as a worker: it isolates its process, answers
// requests until stdin ends and returns the exit code. The process must end right after it.
func Worker(stdin io.Reader, stdout io.Writer) int {
	return (&worker{}).run(stdin, stdout)
}

// worker is the process-wide state of a worker.
type worker struct {
	limits wireLimits
	probe  func(string) string // only in tests
}

// maxStack ends a worker whose recursion has no end before it takes the machine's memory.
const maxStack = 64 << 20

func (w *worker) run(stdin io.Reader, stdout io.Writer) int {
	log.SetOutput(io.Discard) // kustomize warns there; what it says may quote content
	http.DefaultTransport = noNetwork{}
	runtime.GOMAXPROCS(2) // one to render, one for the collector and the watchdog
	debug.SetMaxStack(maxStack)
	kind, payload, err := readFrame(stdin, maxPath)
	if err != nil || kind != frameHello || json.Unmarshal(payload, &w.limits) != nil {
		return 2
	}
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(w.limits.Memory / 4 * 3)
	if err := isolate(w.limits.Memory); err != nil {
		return 3
	}
	if err := writeFrame(stdout, frameHello, nil); err != nil {
		return 2
	}
	done := make(chan int, 3) // whichever ends first decides; the others die with the process
	frames := make(chan frame)
	go func() {
		receive(stdin, frames)
		done <- 0 // the pool is gone: whatever is being rendered is of no use
	}()
	go func() { done <- w.serve(frames, stdout) }()
	go watchMemory(w.limits.Memory, done)
	return <-done
}

// serve answers requests one after the other until there are no more.
func (w *worker) serve(frames <-chan frame, stdout io.Writer) int {
	for f := range frames {
		if err := w.answer(f, frames, stdout); err != nil {
			return 2
		}
	}
	return 0
}

type frame struct {
	kind    frameKind
	payload []byte
}

// receive hands over what the pool sends.
func receive(r io.Reader, frames chan<- frame) {
	defer close(frames)
	for {
		kind, payload, err := readFrame(r, maxOutput)
		if err != nil {
			return
		}
		frames <- frame{kind, payload}
	}
}

// answer handles one request.
func (w *worker) answer(f frame, frames <-chan frame, stdout io.Writer) error {
	if f.kind == frameProbe && w.probe != nil {
		return writeJSON(stdout, frameResult, wireResult{Probe: w.probe(string(f.payload))})
	}
	var req wireRequest
	if err := json.Unmarshal(f.payload, &req); err != nil {
		return fmt.Errorf("decode request: %w", err)
	}
	v := newView(func(kind frameKind, name string) (frame, error) {
		if err := writeFrame(stdout, kind, []byte(name)); err != nil {
			return frame{}, err
		}
		reply, open := <-frames
		if !open {
			return frame{}, io.ErrUnexpectedEOF
		}
		return reply, nil
	}, w.limits.Output)
	var result wireResult
	switch f.kind {
	case frameRender:
		result = w.render(v, req)
	case frameLocate:
		result = w.locate(v, req)
	default:
		return errDisobedient
	}
	if v.broken != nil {
		return v.broken
	}
	return writeJSON(stdout, frameResult, result)
}

// render renders an application; whatever goes wrong is in the result, scrubbed.
func (w *worker) render(v *view, req wireRequest) (result wireResult) {
	result.Error = guard(req.Path, func() error {
		var err error
		if req.Type == TypeYAML {
			result.Objects, result.Skipped, err = renderYAML(v, req.Files, w.limits.Output)
		} else {
			result.Objects, err = renderKustomize(v, req.Path, w.limits.Output)
		}
		return err
	})
	result.Inputs = v.inputs()
	if result.Error != nil {
		result.Objects = nil
		newScrubber(v).clean(result.Error)
	}
	return result
}

func (w *worker) locate(v *view, req wireRequest) (result wireResult) {
	result.Error = guard(req.Path, func() error {
		result.Locations = locateAll(v, req)
		return nil
	})
	if result.Error != nil {
		newScrubber(v).clean(result.Error)
	}
	return result
}

// guard runs f and turns its error or panic into an [*Error].
func guard(path string, f func() error) (e *Error) {
	defer func() {
		if p := recover(); p != nil {
			e = &Error{Class: ClassInput, Message: display(path) + ": cannot be rendered: the renderer stopped in the middle", Detail: tidy(fmt.Sprint(p))}
		}
	}()
	err := f()
	if err == nil || errors.As(err, &e) {
		return e
	}
	return &Error{Class: ClassInput, Message: display(path) + ": " + tidy(err.Error())}
}

// noNetwork is the transport of a process that has no network, on every operating system.
type noNetwork struct{}

var errNoNetwork = errors.New("there is no network while rendering")

// RoundTrip refuses.
func (noNetwork) RoundTrip(*http.Request) (*http.Response, error) { return nil, errNoNetwork }
