package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// maxBatch bounds how many transactions share one write to disk, and with it how long the first of
// them waits for the last.
const maxBatch = 64

// writer runs transactions on SQLite's one writing connection. Those that arrive while one is being
// written to disk wait and then go in together: each in a savepoint, so that it alone fails when it
// fails, and all in one commit. There is no goroutine: the first who waits leads the next batch.
type writer struct {
	db *sql.DB

	mu      sync.Mutex
	busy    bool // somebody leads
	waiting []*request
}

type request struct {
	ctx  context.Context //nolint:containedctx // of the caller, for this one call
	fn   func(context.Context, *Tx) error
	tx   *Tx
	err  error
	wake chan wake
}

type wake int

const (
	finished wake = iota
	lead
)

func (w *writer) run(ctx context.Context, fn func(context.Context, *Tx) error) error {
	r := &request{ctx: ctx, fn: fn, wake: make(chan wake, 1)}
	if w.join(r) || <-r.wake == lead {
		w.lead()
		<-r.wake // r was in the batch that it led
	}
	if r.err != nil {
		return r.err
	}
	r.tx.committed()
	return nil
}

// join queues r and tells whether it leads at once.
func (w *writer) join(r *request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting = append(w.waiting, r)
	if w.busy {
		return false
	}
	w.busy = true
	return true
}

// lead runs the next batch and hands over to whoever waits then.
func (w *writer) lead() {
	w.mu.Lock()
	n := min(len(w.waiting), maxBatch)
	batch := w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	w.mu.Unlock()

	w.runBatch(batch)
	for _, r := range batch {
		r.wake <- finished
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.busy, w.waiting = false, nil
		return
	}
	w.waiting[0].wake <- lead
}

// runBatch runs the batch in one database transaction. The statements run without the callers'
// deadlines: an interrupted statement would roll back everybody's work.
func (w *writer) runBatch(batch []*request) {
	ctx := context.Background()
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		failAll(batch, fmt.Errorf("begin transaction: %w", err))
		return
	}
	for _, r := range batch {
		if err := runOne(ctx, tx, r, len(batch) == 1); err != nil {
			failAll(batch, errors.Join(err, tx.Rollback()))
			return
		}
	}
	if !anyGood(batch) {
		if err := tx.Rollback(); err != nil {
			failAll(batch, fmt.Errorf("roll back transaction: %w", err))
		}
		return
	}
	if err := tx.Commit(); err != nil {
		failAll(batch, errors.Join(fmt.Errorf("commit transaction: %w", err), rollback(tx)))
	}
}

// rollback ends a transaction whose commit failed; that it is over already is no error.
func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

// runOne runs r; an error of r is r's, one that is returned is everybody's.
func runOne(ctx context.Context, tx *sql.Tx, r *request, alone bool) error {
	if r.err = r.ctx.Err(); r.err != nil {
		return nil //nolint:nilerr // see above
	}
	if !alone {
		if _, err := tx.ExecContext(ctx, "SAVEPOINT request"); err != nil {
			return fmt.Errorf("begin savepoint: %w", err)
		}
	}
	r.tx = &Tx{Queries: Queries{db: sqliteTx{tx}}, sqlite: tx}
	r.err = call(context.WithoutCancel(r.ctx), r.tx, r.fn)
	if alone {
		return nil
	}
	end := "RELEASE request"
	if r.err != nil {
		end = "ROLLBACK TO request; RELEASE request"
	}
	if _, err := tx.ExecContext(ctx, end); err != nil {
		return errors.Join(fmt.Errorf("end savepoint: %w", err), r.err)
	}
	return nil
}

func anyGood(batch []*request) bool {
	for _, r := range batch {
		if r.err == nil {
			return true
		}
	}
	return false
}

func failAll(batch []*request, err error) {
	for _, r := range batch {
		if r.err == nil {
			r.err = err
		}
	}
}
