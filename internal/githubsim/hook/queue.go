package hook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options are what a Queue needs beside its target.
type Options struct {
	// Timeout is how long the receiver may take; GitHub gives it 10 seconds.
	Timeout time.Duration
	// Transport carries the deliveries; nil means http.DefaultTransport.
	Transport http.RoundTripper
	// Now is the clock of the log.
	Now func() time.Time
	// NextID numbers deliveries.
	NextID func() int64
	// Observe, when set, sees every new delivery before any fault is applied.
	Observe func(event string, header http.Header, body []byte)
}

// Queue delivers one App's events in order from one goroutine and keeps the log.
type Queue struct {
	options Options
	client  *http.Client

	mu      sync.Mutex
	changed *sync.Cond
	target  Target
	pending []*Delivery
	held    []*Delivery
	busy    int // deliveries under way or waiting for a timer
	log     []*Delivery
	faults  []*Fault
	closed  bool
	cancel  context.CancelFunc
	done    chan struct{}
}

// NewQueue starts the delivery goroutine; Close stops it.
func NewQueue(target Target, options Options) *Queue {
	ctx, cancel := context.WithCancel(context.Background())
	q := &Queue{
		cancel:  cancel,
		options: options,
		client: &http.Client{
			Timeout:   options.Timeout,
			Transport: options.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse // a redirect is an answer, and not a 2xx one
			},
		},
		target: target,
		done:   make(chan struct{}),
	}
	q.changed = sync.NewCond(&q.mu)
	go q.run(ctx)
	return q
}

// Target is where deliveries go now.
func (q *Queue) Target() Target {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.target
}

// SetTarget changes where deliveries go from now on.
func (q *Queue) SetTarget(t Target) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.target = t
}

// Send queues one event for delivery.
func (q *Queue) Send(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	d := q.make(e, NewGUID())
	q.log = append(q.log, d)
	if q.options.Observe != nil {
		q.options.Observe(e.Name, d.Header.Clone(), e.Payload)
	}
	q.enqueue(d)
}

// Redeliver queues a logged delivery again under the same GUID; false when the log has no such id.
func (q *Queue) Redeliver(id int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.log, func(d *Delivery) bool { return d.ID == id })
	if i < 0 {
		return false
	}
	d := q.make(q.log[i].Event, q.log[i].GUID)
	d.Redelivery = true
	q.log = append(q.log, d)
	q.enqueue(d)
	return true
}

func (q *Queue) make(e Event, guid string) *Delivery {
	return &Delivery{
		ID: q.options.NextID(), GUID: guid, At: q.options.Now(), Event: e, URL: q.target.URL,
		Header: Header(q.target, guid, e.Name, e.Payload), Status: "pending",
	}
}

// push puts a delivery at the end of the queue; the caller holds the lock.
func (q *Queue) push(d *Delivery) {
	q.pending = append(q.pending, d)
	q.changed.Broadcast()
}

func (q *Queue) run(ctx context.Context) {
	defer close(q.done)
	for {
		d, ok := q.next()
		if !ok {
			return
		}
		result := q.attempt(ctx, d)
		q.mu.Lock()
		d.At, d.Duration, d.StatusCode, d.Status = result.At, result.Duration, result.StatusCode, result.Status
		d.Response, d.ResponseHdr = result.Response, result.ResponseHdr
		q.busy--
		q.changed.Broadcast()
		q.mu.Unlock()
	}
}

func (q *Queue) next() (*Delivery, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.pending) == 0 && !q.closed {
		q.changed.Wait()
	}
	if q.closed {
		return nil, false
	}
	d := q.pending[0]
	q.pending = q.pending[1:]
	q.busy++
	return d, true
}

// attempt makes one HTTP request; it never retries, whatever the outcome.
func (q *Queue) attempt(ctx context.Context, d *Delivery) Delivery {
	start := time.Now()
	result := Delivery{At: q.options.Now()}
	if d.URL == "" {
		result.Status = "no webhook URL"
		return result
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Event.Payload))
	if err != nil {
		result.Status = fmt.Sprintf("invalid webhook URL: %v", err)
		return result
	}
	req.Header = d.Header.Clone()
	resp, err := q.client.Do(req)
	result.Duration = time.Since(start)
	if err != nil {
		result.Status = outcome(err)
		return result
	}
	defer func() { _ = resp.Body.Close() }() // the answer has been read as far as the log keeps it
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		body = append(body, fmt.Sprintf(" (body cut: %v)", err)...)
	}
	result.StatusCode, result.Response, result.ResponseHdr = resp.StatusCode, string(body), resp.Header
	result.Status = http.StatusText(resp.StatusCode)
	return result
}

func outcome(err error) string {
	if t, ok := err.(interface{ Timeout() bool }); ok && t.Timeout() {
		return "timed out"
	}
	return "failed to connect to host"
}

// Flush returns when nothing is queued, delayed or under way, or when ctx ends. Held deliveries do not count.
func (q *Queue) Flush(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed.Broadcast()
	})
	defer stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for (len(q.pending) > 0 || q.busy > 0) && !q.closed {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("wait for %d webhook deliveries: %w", len(q.pending)+q.busy, err)
		}
		q.changed.Wait()
	}
	return nil
}

// Log lists deliveries oldest first.
func (q *Queue) Log() []Delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]Delivery, len(q.log))
	for i, d := range q.log {
		out[i] = *d
	}
	return out
}

// Close stops delivering and cuts the attempt under way. What is still queued is never sent.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	q.changed.Broadcast()
	q.mu.Unlock()
	q.cancel()
	<-q.done
}
