package queue

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/mergegate/mergegate/internal/store"
)

// every calls fn at an interval until ctx ends.
func every(ctx context.Context, interval time.Duration, fn func()) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			fn()
		}
	}
}

// renewLoop is the sign of life of the jobs that run here.
func (q *Queue) renewLoop(ctx context.Context) {
	every(ctx, q.config.Lease/4, func() {
		runs := q.snapshot()
		if len(runs) == 0 {
			return
		}
		asked := time.Now()
		lost, err := q.renew(ctx, runs)
		if err != nil && ctx.Err() == nil {
			q.config.Log.ErrorContext(ctx, "leases were not renewed", slog.Any("error", err))
		}
		q.settle(runs, lost, renewal{at: asked, ok: err == nil})
	})
}

func (q *Queue) snapshot() []store.Work {
	q.mu.Lock()
	defer q.mu.Unlock()
	runs := make([]store.Work, 0, len(q.running))
	for _, r := range q.running {
		runs = append(runs, r.work)
	}
	return runs
}

// renew extends the leases of runs and returns those that are lost.
func (q *Queue) renew(ctx context.Context, runs []store.Work) (lost map[int64]bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, q.config.Lease/2)
	defer cancel()
	err = q.store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		lost = map[int64]bool{}
		for _, work := range runs {
			err := tx.RenewWork(ctx, work, q.holder())
			if errors.Is(err, store.ErrLeaseLost) {
				lost[work.JobID] = true
				continue
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return lost, err
}

// renewal is when leases were extended, and whether that worked.
type renewal struct {
	at time.Time
	ok bool
}

// settle notes renewed leases and ends the runs whose lease is lost, or that have to assume so.
func (q *Queue) settle(runs []store.Work, lost map[int64]bool, r renewal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, work := range runs {
		current := q.running[work.ID]
		switch {
		case current == nil || current.work.JobID != work.JobID:
		case r.ok && !lost[work.JobID]:
			current.renewed = r.at
		case r.ok || time.Since(current.renewed) > q.config.Lease:
			current.cancel(store.ErrLeaseLost)
		}
	}
}

// supersedeLoop looks for runs here that were superseded elsewhere.
func (q *Queue) supersedeLoop(ctx context.Context) {
	every(ctx, time.Second, func() {
		if len(q.snapshot()) == 0 {
			return
		}
		superseded, err := q.store.Superseded(ctx, q.config.Owner)
		if err != nil && ctx.Err() == nil {
			q.config.Log.ErrorContext(ctx, "superseded jobs were not read", slog.Any("error", err))
		}
		for _, work := range superseded {
			q.cancel(work, ErrSuperseded)
		}
	})
}

// recoverLoop takes up what other processes have left behind.
func (q *Queue) recoverLoop(ctx context.Context) {
	const keepFailed = 14 * 24 * time.Hour
	suspects := map[string]int64{}
	every(ctx, q.config.Lease/3, func() {
		err := q.recover(ctx, suspects, false)
		if due, dueErr := q.store.Due(ctx, "prune work", time.Hour); dueErr != nil {
			err = errors.Join(err, dueErr)
		} else if due {
			_, pruneErr := q.store.PruneFailedWork(ctx, q.config.Now().Add(-keepFailed))
			err = errors.Join(err, pruneErr)
		}
		if err != nil && ctx.Err() == nil {
			q.config.Log.ErrorContext(ctx, "lost jobs were not taken up", slog.Any("error", err))
		}
	})
}

// recover has dead work run again and gives orphaned work new tickets. A ticket that somebody has
// fetched and not used yet is only a suspect until it is one twice, or when all is certain.
func (q *Queue) recover(ctx context.Context, suspects map[string]int64, certain bool) error {
	dead, err := q.store.DeadWork(ctx)
	if err != nil {
		return err
	}
	for _, work := range dead {
		if q.runs(work) {
			continue // it is only that the database was away
		}
		if err := q.reissue(ctx, work, rescued); err != nil {
			return err
		}
	}
	orphans, sure, err := q.store.OrphanedWork(ctx)
	if err != nil {
		return err
	}
	before := map[string]int64{}
	for id, job := range suspects {
		before[id] = job
	}
	clear(suspects)
	for _, work := range orphans {
		if !certain && !sure[work.ID] && before[work.ID] != work.JobID {
			suspects[work.ID] = work.JobID
			continue
		}
		if err := q.reissue(ctx, work, orphaned); err != nil {
			return err
		}
	}
	return nil
}

// loss is how work lost its run.
type loss string

const (
	rescued  loss = "the process that ran it ended"
	orphaned loss = "its ticket was lost"
)

func (q *Queue) runs(work store.Work) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := q.running[work.ID]
	return r != nil && r.work.JobID == work.JobID
}

func (q *Queue) reissue(ctx context.Context, work store.Work, why loss) error {
	err := q.store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		var tickets []store.Ticket
		var err error
		if why == rescued {
			tickets, err = tx.Rescue(ctx, work, q.config.MaxAttempts)
		} else {
			tickets, err = tx.Reissue(ctx, work)
		}
		if err != nil {
			return err
		}
		return q.issue(ctx, tx, tickets)
	})
	if err == nil {
		q.log(work).WarnContext(ctx, "lost job was taken up", slog.String("reason", string(why)))
	}
	return err
}

// sweepLoop asks for a sweep now, and then whenever one is due for all replicas together.
func (q *Queue) sweepLoop(ctx context.Context) {
	sweep := func(always bool) {
		err := q.store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
			due, err := tx.Due(ctx, "sweep", q.config.SweepEvery)
			if err != nil || !due && !always {
				return err
			}
			return q.Insert(ctx, tx, Job{Kind: Sweep})
		})
		if err != nil && ctx.Err() == nil {
			q.config.Log.ErrorContext(ctx, "sweep was not queued", slog.Any("error", err))
		}
	}
	sweep(true)
	every(ctx, min(max(q.config.SweepEvery/10, 50*time.Millisecond), 10*time.Second), func() { sweep(false) })
}
