package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Supersede asks whoever runs a piece of work to stop, because its result is of no use any more.
// It returns the job that runs it, 0 when none does.
func (tx *Tx) Supersede(ctx context.Context, id string) (jobID int64, err error) {
	jobID, err = first(ctx, tx.db.mutate, stmt(`UPDATE work SET superseded = TRUE WHERE id = $1 AND state = 'running' RETURNING job_id`, id), value[int64])
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, fmt.Errorf("supersede work %s: %w", id, err)
	}
	return jobID, nil
}

// Superseded is the work that owner runs and that it is asked to stop.
func (q Queries) Superseded(ctx context.Context, owner string) ([]Work, error) {
	return q.work(ctx, stmt(`SELECT `+workColumns+` FROM work WHERE state = 'running' AND superseded AND owner = $1`, owner))
}

// RenewWork extends the lease on claimed work, or says ErrLeaseLost.
func (q Queries) RenewWork(ctx context.Context, claimed Work, l Holder) error {
	changed, err := q.db.exec(ctx, stmt(`UPDATE work SET until_at = {now} + $4 WHERE id = $1 AND job_id = $2 AND owner = $3 AND state = 'running'`,
		claimed.ID, claimed.JobID, l.Owner, l.TTL.Microseconds()))
	if err == nil && changed == 0 {
		err = ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("renew lease on work %s: %w", claimed.ID, err)
	}
	return nil
}

// HoldsWork says ErrLeaseLost unless the claimed work is still the claimer's; no one else can take
// it until the transaction ends. It is for what must not be written by one who lost the work.
func (tx *Tx) HoldsWork(ctx context.Context, claimed Work) error {
	changed, err := tx.db.exec(ctx, stmt(`UPDATE work SET updated_at = $3 WHERE id = $1 AND job_id = $2 AND state = 'running'`,
		claimed.ID, claimed.JobID, tx.micros()))
	if err == nil && changed == 0 {
		err = ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("check lease on work %s: %w", claimed.ID, err)
	}
	return nil
}

// DeadWork is work whose lease has run out: whoever ran it is gone.
func (q Queries) DeadWork(ctx context.Context) ([]Work, error) {
	return q.work(ctx, stmt(`SELECT `+workColumns+` FROM work WHERE state = 'running' AND until_at <= {now} ORDER BY created_at, id`))
}

// Rescue has dead work run again, unless processes died over it maxCrashes times: then it has
// failed.
func (tx *Tx) Rescue(ctx context.Context, dead Work, maxCrashes int) ([]Ticket, error) {
	l, err := tx.lane(ctx, dead.Lane)
	if err != nil {
		return nil, err
	}
	w, found := l.find(dead.ID)
	if !found || w.JobID != dead.JobID || w.State != WorkRunning || w.live {
		return nil, nil // somebody else was faster
	}
	o := Outcome{State: WorkBlocked, Error: "the process that ran it ended"}
	if w.Crashes+1 >= maxCrashes {
		o = Outcome{State: WorkFailed, Error: fmt.Sprintf("the process that ran it ended, %d times", w.Crashes+1)}
	}
	if err := tx.setWork(ctx, w.ID, o, w.Attempt-1); err != nil {
		return nil, err
	}
	if err := tx.changeWork(ctx, stmt(`UPDATE work SET crashes = crashes + 1 WHERE id = $1`, w.ID)); err != nil {
		return nil, err
	}
	return tx.unblock(ctx, w.Lane)
}

// OrphanedWork is work whose job will not run it: it is gone, or it is over. sure is false for a
// job that was handed out and has not claimed its work yet: its process may be about to.
func (q Queries) OrphanedWork(ctx context.Context) (orphans []Work, sure map[string]bool, err error) {
	sure = map[string]bool{}
	orphans, err = all(ctx, q.db.query, stmt(`SELECT w.id, w.lane, w.kind, w.job_id, w.state, w.due_at, COALESCE(CAST(j.state AS TEXT), '')
		FROM work w LEFT JOIN river_job j ON j.id = w.job_id
		WHERE (w.state IN ('queued', 'retrying', 'snoozed') AND (j.id IS NULL OR j.state IN ('running', 'completed', 'cancelled', 'discarded')))
			OR (w.state = 'blocked' AND NOT EXISTS (SELECT 1 FROM work o WHERE o.lane = w.lane AND o.state IN ('queued', 'running')))
		ORDER BY w.created_at, w.id`), func(row scanner) (w Work, err error) {
		var due int64
		var job string
		err = row.Scan(&w.ID, &w.Lane, &w.Kind, &w.JobID, &w.State, &due, &job)
		w.Due = moment(due)
		sure[w.ID] = job != "running"
		return w, err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read orphaned work: %w", err)
	}
	return orphans, sure, nil
}

// Reissue gives orphaned work a new ticket, unless something happened to it meanwhile.
func (tx *Tx) Reissue(ctx context.Context, orphan Work) ([]Ticket, error) {
	l, err := tx.lane(ctx, orphan.Lane)
	if err != nil {
		return nil, err
	}
	w, found := l.find(orphan.ID)
	switch {
	case !found || w.JobID != orphan.JobID || w.State != orphan.State:
		return nil, nil
	case w.State == WorkBlocked:
		return tx.unblock(ctx, w.Lane)
	}
	return []Ticket{{ID: w.ID, Lane: w.Lane, Kind: w.Kind, Due: w.Due}}, nil
}

// FailedWork is work that has failed for good, latest first.
func (q Queries) FailedWork(ctx context.Context, limit int) ([]Work, error) {
	return q.work(ctx, stmt(`SELECT `+workColumns+` FROM work WHERE state = 'failed' ORDER BY updated_at DESC, id LIMIT $1`, limit))
}

// WorkOf is one piece of work, or ErrNotFound: there is none, or it is done.
func (q Queries) WorkOf(ctx context.Context, id string) (Work, error) {
	list, err := q.work(ctx, stmt(`SELECT `+workColumns+` FROM work WHERE id = $1`, id))
	if err != nil || len(list) == 0 {
		return Work{}, fmt.Errorf("work %s: %w", id, orNotFound(err))
	}
	return list[0], nil
}

func orNotFound(err error) error {
	if err == nil {
		return ErrNotFound
	}
	return err
}

func (q Queries) work(ctx context.Context, s statement) ([]Work, error) {
	list, err := all(ctx, q.db.query, s, scanWork)
	if err != nil {
		return nil, fmt.Errorf("read work: %w", err)
	}
	return list, nil
}

// CountWork counts work by kind and state.
func (q Queries) CountWork(ctx context.Context) (map[string]map[WorkState]int, error) {
	counts := map[string]map[WorkState]int{}
	err := q.db.query(ctx, stmt(`SELECT kind, state, COUNT(*) FROM work GROUP BY kind, state`), func(row scanner) error {
		var kind string
		var state WorkState
		var n int
		if err := row.Scan(&kind, &state, &n); err != nil {
			return err
		}
		if counts[kind] == nil {
			counts[kind] = map[WorkState]int{}
		}
		counts[kind][state] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count work: %w", err)
	}
	return counts, nil
}

// PruneFailedWork removes work that has failed before the given time.
func (q Queries) PruneFailedWork(ctx context.Context, before time.Time) (int64, error) {
	n, err := q.db.exec(ctx, stmt(`DELETE FROM work WHERE state = 'failed' AND updated_at < $1`, micros(before)))
	if err != nil {
		return 0, fmt.Errorf("prune failed work: %w", err)
	}
	return n, nil
}
