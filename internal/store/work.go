package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// WorkState is what a piece of work waits for.
type WorkState string

// The states of work. Work that is done has no row.
const (
	WorkQueued   WorkState = "queued"   // has a job that may run now
	WorkBlocked  WorkState = "blocked"  // waits for other work of its lane; has no job
	WorkRunning  WorkState = "running"  // somebody runs it and has a lease on it
	WorkRetrying WorkState = "retrying" // has failed, has a job for later
	WorkSnoozed  WorkState = "snoozed"  // was put off, has a job for later
	WorkFailed   WorkState = "failed"   // has failed for good; has no job
)

// Work is one thing to do. Of one ID there is at most one; work of one lane runs one after the
// other, whoever runs it. Which job of the job queue may run it is part of the row: a job that the
// row does not name is stale and runs nothing. So a job that is lost can be replaced at any time.
type Work struct {
	ID      string
	Lane    string
	Kind    string
	Args    []byte // JSON
	State   WorkState
	JobID   int64
	Attempt int // of this run, from 1
	Crashes int // how often a process died over it
	Error   string
	Due     time.Time // when its job is to run, for work that waits for a time

	requested, started int64 // requests made; requests that the current run covers
	live               bool  // the lease of running work holds
}

// Ticket says that a job must be made for a piece of work, in the same transaction, and recorded
// with SetJob.
type Ticket struct {
	ID   string
	Lane string
	Kind string
	Due  time.Time // zero: now
}

const workColumns = `id, lane, kind, args, state, job_id, attempt, crashes, error, due_at, requested, started, until_at > {now}`

func scanWork(row scanner) (Work, error) {
	var w Work
	var due int64
	var args string
	err := row.Scan(&w.ID, &w.Lane, &w.Kind, &args, &w.State, &w.JobID, &w.Attempt, &w.Crashes, &w.Error, &due, &w.requested, &w.started, &w.live)
	w.Due, w.Args = moment(due), []byte(args)
	return w, err
}

// lane is all work of a lane, oldest first. Nobody else changes it until the transaction ends.
func (tx *Tx) lane(ctx context.Context, key string) (lane, error) {
	if tx.pg != nil {
		if _, err := tx.db.exec(ctx, stmt(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, key)); err != nil {
			return nil, fmt.Errorf("lock lane %s: %w", key, err)
		}
	}
	list, err := all(ctx, tx.db.query, stmt(`SELECT `+workColumns+` FROM work WHERE lane = $1 ORDER BY created_at, id`, key), scanWork)
	if err != nil {
		return nil, fmt.Errorf("read lane %s: %w", key, err)
	}
	return list, nil
}

// lane is work that runs one after the other.
type lane []Work

func (l lane) find(id string) (Work, bool) {
	i := slices.IndexFunc(l, func(w Work) bool { return w.ID == id })
	if i < 0 {
		return Work{}, false
	}
	return l[i], true
}

// busy tells whether work other than id runs or is about to.
func (l lane) busy(id string) bool {
	return slices.ContainsFunc(l, func(w Work) bool {
		return w.ID != id && (w.State == WorkQueued || w.State == WorkRunning && w.live)
	})
}

// running tells whether work other than id runs.
func (l lane) running(id string) bool {
	return slices.ContainsFunc(l, func(w Work) bool { return w.ID != id && w.State == WorkRunning && w.live })
}

// Enqueue asks for a piece of work, of which ID, Lane, Kind and Args count. Work of the same ID
// that waits already takes the new Args and covers this request too; work that runs will run once
// more. A ticket is returned when a job must be made.
func (tx *Tx) Enqueue(ctx context.Context, w Work) ([]Ticket, error) {
	l, err := tx.lane(ctx, w.Lane)
	if err != nil {
		return nil, err
	}
	old, found := l.find(w.ID)
	if found && old.State != WorkRetrying && old.State != WorkFailed {
		err := tx.changeWork(ctx, stmt(`UPDATE work SET args = $2, requested = requested + 1, updated_at = $3 WHERE id = $1`,
			w.ID, string(w.Args), tx.micros()))
		return nil, err
	}
	state := WorkQueued
	if l.busy(w.ID) {
		state = WorkBlocked
	}
	err = tx.changeWork(ctx, stmt(`INSERT INTO work (id, lane, kind, args, state, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)
		ON CONFLICT (id) DO UPDATE SET args = excluded.args, state = excluded.state, job_id = 0, owner = '', until_at = 0, superseded = FALSE,
			requested = 1, started = 0, attempt = 0, crashes = 0, error = '', due_at = 0, created_at = excluded.created_at, updated_at = excluded.updated_at`,
		w.ID, w.Lane, w.Kind, string(w.Args), state, tx.micros()))
	if err != nil || state == WorkBlocked {
		return nil, err
	}
	return []Ticket{{ID: w.ID, Lane: w.Lane, Kind: w.Kind}}, nil
}

func (tx *Tx) changeWork(ctx context.Context, s statement) error {
	if _, err := tx.db.exec(ctx, s); err != nil {
		return fmt.Errorf("change work %v: %w", s.args[0], err)
	}
	return nil
}

// SetJob records the job that was made for a ticket.
func (tx *Tx) SetJob(ctx context.Context, id string, jobID int64) error {
	return tx.changeWork(ctx, stmt(`UPDATE work SET job_id = $2 WHERE id = $1`, id, jobID))
}

// Claim says that a job, the one of t, is about to run its work, and gives owner a lease on it.
// ok is false when there is nothing to run for it: it is stale, or other work of the lane runs.
func (tx *Tx) Claim(ctx context.Context, t Ticket, jobID int64, l Holder) (w Work, ok bool, err error) {
	rows, err := tx.lane(ctx, t.Lane)
	if err != nil {
		return Work{}, false, err
	}
	w, found := rows.find(t.ID)
	if !found || w.JobID != jobID || w.State == WorkRunning {
		return Work{}, false, nil
	}
	if rows.running(t.ID) {
		return Work{}, false, tx.changeWork(ctx, stmt(`UPDATE work SET state = 'blocked', job_id = 0, due_at = 0, updated_at = $2 WHERE id = $1`, w.ID, tx.micros()))
	}
	w.Attempt++
	w.State = WorkRunning
	return w, true, tx.changeWork(ctx, stmt(`UPDATE work SET state = 'running', owner = $2, until_at = {now} + $3, started = requested,
		attempt = $4, superseded = FALSE, due_at = 0, updated_at = $5 WHERE id = $1`, w.ID, l.Owner, l.TTL.Microseconds(), w.Attempt, tx.micros()))
}

// Holder is who runs work, and for how long a lease holds without being renewed.
type Holder struct {
	Owner string
	TTL   time.Duration
}

// Outcome is how a run of work ended. State is WorkQueued (interrupted: run it again at once),
// WorkRetrying or WorkSnoozed (run it again at Due), WorkFailed, or "" for done.
type Outcome struct {
	State WorkState
	Due   time.Time
	Error string
}

// WorkDone is the state of an outcome after which nothing is left to do.
const WorkDone WorkState = ""

// Finish records the outcome of claimed work and lets the lane go on. It says ErrLeaseLost when the
// work is no longer the claimer's.
func (tx *Tx) Finish(ctx context.Context, claimed Work, o Outcome) ([]Ticket, error) {
	l, err := tx.lane(ctx, claimed.Lane)
	if err != nil {
		return nil, err
	}
	w, found := l.find(claimed.ID)
	if !found || w.JobID != claimed.JobID || w.State != WorkRunning {
		return nil, fmt.Errorf("finish work %s: %w", claimed.ID, ErrLeaseLost)
	}
	if w.requested > w.started && o.State != WorkQueued && o.State != WorkSnoozed {
		return tx.again(ctx, w, o)
	}
	switch o.State {
	case WorkDone:
		err = tx.changeWork(ctx, stmt(`DELETE FROM work WHERE id = $1`, w.ID))
	case WorkQueued:
		err = tx.setWork(ctx, w.ID, Outcome{State: WorkBlocked, Error: o.Error}, w.Attempt-1)
	case WorkSnoozed:
		err = tx.setWork(ctx, w.ID, o, w.Attempt-1)
	default:
		err = tx.setWork(ctx, w.ID, o, w.Attempt)
	}
	if err != nil {
		return nil, err
	}
	return tx.advance(ctx, w, o)
}

// again puts work that was asked for while it ran at the end of its lane, as new.
func (tx *Tx) again(ctx context.Context, w Work, o Outcome) ([]Ticket, error) {
	err := tx.changeWork(ctx, stmt(`UPDATE work SET state = 'blocked', job_id = 0, owner = '', until_at = 0, superseded = FALSE, requested = 1,
		started = 0, attempt = 0, crashes = 0, error = $2, due_at = 0, created_at = $3, updated_at = $3 WHERE id = $1`, w.ID, o.Error, tx.micros()))
	if err != nil {
		return nil, err
	}
	return tx.advance(ctx, w, Outcome{})
}

// setWork sets what Finish decided; the work has no job then.
func (tx *Tx) setWork(ctx context.Context, id string, o Outcome, attempt int) error {
	return tx.changeWork(ctx, stmt(`UPDATE work SET state = $2, job_id = 0, owner = '', until_at = 0, superseded = FALSE, attempt = $3, error = $4,
		due_at = $5, updated_at = $6 WHERE id = $1`, id, o.State, attempt, o.Error, micros(o.Due), tx.micros()))
}

// advance gives tickets to work that ended with o and needs one, and to the next of its lane.
func (tx *Tx) advance(ctx context.Context, w Work, o Outcome) ([]Ticket, error) {
	var tickets []Ticket
	if o.State == WorkRetrying || o.State == WorkSnoozed {
		tickets = append(tickets, Ticket{ID: w.ID, Lane: w.Lane, Kind: w.Kind, Due: o.Due})
	}
	next, err := tx.unblock(ctx, w.Lane)
	return append(tickets, next...), err
}

// unblock queues the oldest blocked work of a lane that nothing else holds up.
func (tx *Tx) unblock(ctx context.Context, key string) ([]Ticket, error) {
	l, err := tx.lane(ctx, key)
	if err != nil || l.busy("") {
		return nil, err
	}
	i := slices.IndexFunc(l, func(w Work) bool { return w.State == WorkBlocked })
	if i < 0 {
		return nil, nil
	}
	next := l[i]
	err = tx.changeWork(ctx, stmt(`UPDATE work SET state = 'queued', job_id = 0, updated_at = $2 WHERE id = $1`, next.ID, tx.micros()))
	return []Ticket{{ID: next.ID, Lane: next.Lane, Kind: next.Kind}}, err
}
