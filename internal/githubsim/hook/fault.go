package hook

import (
	"fmt"
	"time"
)

// Kind is what goes wrong with a delivery.
type Kind string

// The kinds of delivery faults.
const (
	// Drop loses the delivery: it stays in the log as failed.
	Drop Kind = "drop"
	// Duplicate delivers twice, with the same GUID.
	Duplicate Kind = "duplicate"
	// Reorder lets the next delivery overtake this one.
	Reorder Kind = "reorder"
	// Delay delivers after Fault.By.
	Delay Kind = "delay"
	// Hold keeps the delivery until Release.
	Hold Kind = "hold"
)

// Fault applies to the next Times deliveries that match.
type Fault struct {
	Kind Kind `json:"kind"`
	// Event and Action select deliveries; empty means any.
	Event  string `json:"event,omitempty"`
	Action string `json:"action,omitempty"`
	// Times is how many deliveries are hit; 0 means one, a negative number means all.
	Times int `json:"times,omitempty"`
	// By is the delay of Delay.
	By time.Duration `json:"by,omitempty"`
}

// Validate refuses a kind that does not exist.
func (f Fault) Validate() error {
	switch f.Kind {
	case Drop, Duplicate, Reorder, Delay, Hold:
		return nil
	default:
		return fmt.Errorf("delivery fault %q: want drop, duplicate, reorder, delay or hold", f.Kind)
	}
}

// Inject adds a fault behind those that are there.
func (q *Queue) Inject(f Fault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	q.faults = append(q.faults, &f)
}

// ClearFaults removes all faults; held deliveries stay held.
func (q *Queue) ClearFaults() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.faults = nil
}

// Release delivers what Hold and Reorder keep back, in order.
func (q *Queue) Release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	held := q.held
	q.held = nil
	for _, d := range held {
		q.push(d)
	}
}

// enqueue applies the first fault that matches; the caller holds the lock.
func (q *Queue) enqueue(d *Delivery) {
	f := q.fault(d.Event)
	if f == nil {
		q.push(d)
		q.overtaken()
		return
	}
	switch f.Kind {
	case Drop:
		d.Status = "dropped by a fault"
	case Duplicate:
		copied := *d
		q.log = append(q.log, &copied)
		q.push(d)
		q.push(&copied)
	case Delay:
		q.later(d, f.By)
	case Hold, Reorder:
		d.Status = "held (" + string(f.Kind) + ")"
		q.held = append(q.held, d)
	}
}

// overtaken releases reordered deliveries once another one has passed them.
func (q *Queue) overtaken() {
	kept := q.held[:0]
	for _, d := range q.held {
		if d.Status == "held (reorder)" {
			q.push(d)
			continue
		}
		kept = append(kept, d)
	}
	q.held = kept
}

func (q *Queue) later(d *Delivery, by time.Duration) {
	q.busy++
	time.AfterFunc(by, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.busy--
		q.push(d)
	})
}

func (q *Queue) fault(e Event) *Fault {
	for i, f := range q.faults {
		if (f.Event != "" && f.Event != e.Name) || (f.Action != "" && f.Action != e.Action) {
			continue
		}
		f.Times--
		if f.Times == 0 {
			q.faults = append(q.faults[:i:i], q.faults[i+1:]...)
		}
		return f
	}
	return nil
}
