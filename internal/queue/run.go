package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mergegate/mergegate/internal/store"
)

const maxBackoff = 10 * time.Minute

// perform runs the work of a ticket, if it is still the ticket's to run.
func (q *Queue) perform(ctx context.Context, t store.Ticket, jobID int64) error {
	work, ok, err := q.claim(ctx, t, jobID)
	if err != nil || !ok {
		return err
	}
	jobCtx, cancel := q.begin(ctx, work)
	defer q.end(work, cancel)
	started := q.config.Now()
	err = q.handle(jobCtx, work)
	if errors.Is(context.Cause(jobCtx), store.ErrLeaseLost) {
		q.log(work).WarnContext(ctx, "job was taken over by another process", slog.String("error", text(err)))
		return nil
	}
	o := q.outcome(work, err, ending{stopping: ctx.Err() != nil, cause: context.Cause(jobCtx)})
	q.report(ctx, work, o, q.config.Now().Sub(started))
	return q.finish(context.WithoutCancel(ctx), work, o)
}

func (q *Queue) claim(ctx context.Context, t store.Ticket, jobID int64) (work store.Work, ok bool, err error) {
	err = q.store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		work, ok, err = tx.Claim(ctx, t, jobID, q.holder())
		return err
	})
	return work, ok, err
}

func (q *Queue) holder() store.Holder {
	return store.Holder{Owner: q.config.Owner, TTL: q.config.Lease}
}

// begin registers a run, so that its lease is renewed and others can end it.
func (q *Queue) begin(ctx context.Context, work store.Work) (context.Context, context.CancelFunc) {
	ctx, cancelCause := context.WithCancelCause(ctx)
	ctx, cancel := context.WithTimeoutCause(ctx, q.config.Timeout, ErrTimeout)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running[work.ID] = &run{work: work, cancel: cancelCause, renewed: time.Now()}
	return ctx, func() { cancel(); cancelCause(nil) }
}

func (q *Queue) end(work store.Work, cancel context.CancelFunc) {
	cancel()
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.running[work.ID]; r != nil && r.work.JobID == work.JobID {
		delete(q.running, work.ID)
	}
}

// handle calls the handler; a panic in it is its error.
func (q *Queue) handle(ctx context.Context, work store.Work) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			q.log(work).ErrorContext(ctx, "job panicked", slog.String("panic", fmt.Sprint(cause)), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	var job Job
	if err := json.Unmarshal(work.Args, &job); err != nil {
		return fmt.Errorf("read job: %w: %w", err, ErrPermanent)
	}
	handler := q.config.Handlers[job.Kind]
	if handler == nil {
		return fmt.Errorf("no handler for kind %q: %w", job.Kind, ErrPermanent)
	}
	job.Attempt, job.Last, job.work = work.Attempt, work.Attempt >= q.config.MaxAttempts, work
	err = handler(ctx, job)
	if err != nil && errors.Is(context.Cause(ctx), ErrTimeout) {
		err = fmt.Errorf("%w (%w: more than %s)", err, ErrTimeout, q.config.Timeout)
	}
	return err
}

// ending is in what circumstances a handler returned.
type ending struct {
	stopping bool  // the process stops and has ended the context
	cause    error // why the job's own context ended, nil when it did not
}

// outcome decides what becomes of a job.
func (q *Queue) outcome(work store.Work, err error, e ending) store.Outcome {
	var snooze *SnoozeError
	switch {
	case err == nil:
		return store.Outcome{}
	case errors.Is(e.cause, ErrSuperseded):
		return store.Outcome{Error: ErrSuperseded.Error()}
	case errors.Is(err, ErrPermanent):
		return store.Outcome{State: store.WorkFailed, Error: text(err)}
	case errors.As(err, &snooze):
		return store.Outcome{State: store.WorkSnoozed, Due: q.config.Now().Add(snooze.After), Error: text(err)}
	case e.stopping:
		return store.Outcome{State: store.WorkQueued, Error: text(err)}
	case work.Attempt >= q.config.MaxAttempts:
		return store.Outcome{State: store.WorkFailed, Error: text(err)}
	}
	return store.Outcome{State: store.WorkRetrying, Due: q.config.Now().Add(q.backoff(work.Attempt)), Error: text(err)}
}

// backoff is the wait after the n-th failure: doubling, and up to a tenth more, so that jobs that
// failed together do not come back together.
func (q *Queue) backoff(attempt int) time.Duration {
	wait := maxBackoff
	if attempt < 20 {
		wait = min(wait, q.config.Backoff<<(attempt-1))
	}
	return wait + rand.N(wait/10+1)
}

// finish records the outcome and issues the tickets that follow from it. The database may be away
// for a moment; if it is for long, the lease runs out and the job runs again.
func (q *Queue) finish(ctx context.Context, work store.Work, o store.Outcome) error {
	const tries = 5
	var err error
	for try := range tries {
		err = q.store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
			tickets, err := tx.Finish(ctx, work, o)
			if err != nil {
				return err
			}
			return q.issue(ctx, tx, tickets)
		})
		if errors.Is(err, store.ErrLeaseLost) {
			q.log(work).WarnContext(ctx, "job was taken over by another process", slog.String("error", text(err)))
			return nil
		}
		if err == nil {
			return nil
		}
		if try < tries-1 {
			<-time.After(100 * time.Millisecond << try)
		}
	}
	return fmt.Errorf("finish job %s: %w", work.ID, err)
}

func (q *Queue) report(ctx context.Context, work store.Work, o store.Outcome, took time.Duration) {
	log := q.log(work).With(slog.Int("attempt", work.Attempt), slog.Duration("duration", took))
	switch o.State {
	case store.WorkFailed:
		log.ErrorContext(ctx, "job failed for good", slog.String("error", o.Error))
	case store.WorkRetrying:
		log.WarnContext(ctx, "job failed", slog.String("error", o.Error), slog.Time("again", o.Due))
	case store.WorkSnoozed:
		log.InfoContext(ctx, "job waits", slog.String("reason", o.Error), slog.Time("again", o.Due))
	case store.WorkQueued:
		log.InfoContext(ctx, "job was interrupted", slog.String("error", o.Error))
	default:
		log.DebugContext(ctx, "job done", slog.String("note", o.Error))
	}
}

func (q *Queue) log(work store.Work) *slog.Logger {
	return q.config.Log.With(slog.String("job", work.ID), slog.String("lane", work.Lane))
}

// text is an error as it is stored.
func text(err error) string {
	const limit = 4096
	if err == nil {
		return ""
	}
	s := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\x00", ""), "?")
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "") + " ..."
	}
	return s
}
