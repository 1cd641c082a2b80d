package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/store/storetest"
)

func TestFailedJobsAreRetriedWithBackoff(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan time.Time, 10)
		var recorded []string
		q := startQueue(t, s, queue.Config{Backoff: 200 * time.Millisecond, Handlers: handlers(func(ctx context.Context, j queue.Job) error {
			w, err := s.WorkOf(ctx, j.Key())
			if err != nil || w.Attempt != j.Attempt || w.State != store.WorkRunning {
				t.Errorf("work of attempt %d: %+v, %v", j.Attempt, w, err)
			}
			recorded = append(recorded, w.Error)
			ran <- time.Now()
			if j.Attempt < 4 {
				return fmt.Errorf("failure %d", j.Attempt)
			}
			return nil
		})})
		insert(t, s, q, plan(1))
		last := receive(t, ran)
		for i := range 3 {
			at := receive(t, ran)
			if wait, least := at.Sub(last), 200*time.Millisecond<<i; wait < least || wait > least+least/10+patience/4 {
				t.Errorf("wait %d was %s, want about %s", i+1, wait, least)
			}
			last = at
		}
		idle(t, s)
		if want := []string{"", "failure 1", "failure 2", "failure 3"}; strings.Join(recorded, ",") != strings.Join(want, ",") {
			t.Errorf("recorded errors %q, want %q", recorded, want)
		}
	})
}

func TestAJobThatFailsTooOftenHasFailed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan queue.Job, 10)
		q := startQueue(t, s, queue.Config{Backoff: time.Millisecond, MaxAttempts: 3, Handlers: handlers(func(_ context.Context, j queue.Job) error {
			ran <- j
			return errors.New("no luck")
		})})
		insert(t, s, q, plan(1))
		for i := range 3 {
			if j := receive(t, ran); j.Attempt != i+1 || j.Last != (i == 2) {
				t.Errorf("run %d: attempt %d, last %v", i+1, j.Attempt, j.Last)
			}
		}
		expectFailed(t, s, "no luck")
		quietFor(t, ran, 300*time.Millisecond)
		insert(t, s, q, plan(1)) // asked for again, it starts anew
		if j := receive(t, ran); j.Attempt != 1 {
			t.Errorf("asked for again: attempt %d", j.Attempt)
		}
	})
}

func expectFailed(t *testing.T, s *store.Store, want string) {
	t.Helper()
	var failed []store.Work
	eventually(t, "work has failed", func() bool {
		var err error
		failed, err = s.FailedWork(t.Context(), 10)
		return err != nil || len(failed) > 0
	})
	if len(failed) != 1 || !strings.Contains(failed[0].Error, want) {
		t.Errorf("failed work: %+v, want one with %q", failed, want)
	}
}

func TestAPermanentErrorIsNotRetried(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan queue.Job, 10)
		q := startQueue(t, s, queue.Config{Backoff: time.Millisecond, Handlers: handlers(func(_ context.Context, j queue.Job) error {
			ran <- j
			return fmt.Errorf("no such repository: %w", queue.ErrPermanent)
		})})
		insert(t, s, q, plan(1))
		receive(t, ran)
		expectFailed(t, s, "no such repository")
		quietFor(t, ran, 300*time.Millisecond)
	})
}

func TestASnoozeCountsAsNoAttempt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		type at struct {
			queue.Job
			time.Time
		}
		ran := make(chan at, 10)
		first := true
		q := startQueue(t, s, queue.Config{MaxAttempts: 1, Handlers: handlers(func(_ context.Context, j queue.Job) error {
			ran <- at{j, time.Now()}
			if first {
				first = false
				return fmt.Errorf("rate limit: %w", &queue.SnoozeError{After: 700 * time.Millisecond})
			}
			return nil
		})})
		insert(t, s, q, plan(1))
		one := receive(t, ran)
		insert(t, s, q, plan(1)) // a newer request waits too: the limit holds for it as well
		two := receive(t, ran)
		if wait := two.Sub(one.Time); wait < 700*time.Millisecond || two.Attempt != 1 {
			t.Errorf("ran after %s as attempt %d, want 700ms and 1", wait, two.Attempt)
		}
		quietFor(t, ran, 300*time.Millisecond)
		idle(t, s)
	})
}

func TestAPanicIsThatJobsError(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var log lockedBuffer
		ran := make(chan int, 10)
		q := startQueue(t, s, queue.Config{
			MaxAttempts: 1, Log: slog.New(slog.NewTextHandler(io.MultiWriter(&log, t.Output()), nil)),
			Handlers: handlers(func(_ context.Context, j queue.Job) error {
				if j.Number == 1 {
					panic("boom")
				}
				ran <- j.Number
				return nil
			}),
		})
		insert(t, s, q, plan(1))
		insert(t, s, q, plan(2))
		receive(t, ran)
		expectFailed(t, s, "panic: boom")
		if text := log.String(); !strings.Contains(text, "failure_test.go") || !strings.Contains(text, "plan/1/1") {
			t.Errorf("the log lacks the stack or the job:\n%s", text)
		}
	})
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestAJobThatWaitsForItsRetryHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan queue.Job, 10)
		q := startQueue(t, s, queue.Config{Backoff: time.Hour, Handlers: handlers(func(_ context.Context, j queue.Job) error {
			ran <- j
			if j.Kind == queue.Plan {
				return errors.New("failure")
			}
			return nil
		})})
		insert(t, s, q, plan(1), command(1, 1))
		receive(t, ran)
		if j := receive(t, ran); j.Kind != queue.Command {
			t.Errorf("ran %+v, want the command behind the failed plan", j)
		}
		insert(t, s, q, plan(1)) // a newer request does not wait for the old one's retry
		if j := receive(t, ran); j.Kind != queue.Plan || j.Attempt != 1 {
			t.Errorf("ran %+v, want the plan as new", j)
		}
	})
}

func TestATimeoutIsAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := startQueue(t, s, queue.Config{Timeout: 100 * time.Millisecond, MaxAttempts: 1, Handlers: handlers(func(ctx context.Context, _ queue.Job) error {
			<-ctx.Done()
			return fmt.Errorf("render: %w", ctx.Err())
		})})
		insert(t, s, q, plan(1))
		expectFailed(t, s, "job took too long: more than 100ms")
	})
}

func TestStopWaitsForRunningJobs(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		running, ran := make(chan int, 1), false
		q := newQueue(t, s, queue.Config{Grace: patience, Handlers: handlers(func(ctx context.Context, _ queue.Job) error {
			running <- 1
			<-time.After(300 * time.Millisecond)
			ran = ctx.Err() == nil
			return nil
		})})
		start(t, q)
		insert(t, s, q, plan(1))
		receive(t, running)
		stop(t, q)
		if !ran {
			t.Error("Stop did not wait for the job")
		}
		idle(t, s)
	})
}

func TestStopInterruptsAfterTheGracePeriod(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		running := make(chan queue.Job, 10)
		config := queue.Config{Grace: 200 * time.Millisecond, MaxAttempts: 1, Lease: time.Hour, Handlers: handlers(func(ctx context.Context, j queue.Job) error {
			running <- j
			<-ctx.Done()
			return ctx.Err()
		})}
		s, err := store.Open(t.Context(), store.Config{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		q := newQueue(t, s, config)
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		insert(t, s, q, plan(1))
		receive(t, running)
		stop(t, q)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		ran := make(chan queue.Job, 10)
		config.Handlers = handlers(func(_ context.Context, j queue.Job) error { ran <- j; return nil })
		s = storetest.Open(t, database)
		startQueue(t, s, config)
		if j := receive(t, ran); j.Attempt != 1 {
			t.Errorf("after the restart it is attempt %d, want 1: the interruption is no failure", j.Attempt)
		}
		idle(t, s)
	})
}

// claim takes a job as a process does that then dies.
func claim(t *testing.T, s *store.Store, job queue.Job, ttl time.Duration) store.Work {
	t.Helper()
	w, err := s.WorkOf(t.Context(), job.Key())
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		var ok bool
		w, ok, err = tx.Claim(ctx, store.Ticket{ID: w.ID, Lane: w.Lane}, w.JobID, store.Holder{Owner: "dead", TTL: ttl})
		if !ok {
			t.Error("claim: not ok")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestJobsOfADeadReplicaRunAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const lease = 1200 * time.Millisecond
		ran := make(chan time.Time, 10)
		q := newQueue(t, s, queue.Config{Lease: lease, Handlers: handlers(func(_ context.Context, j queue.Job) error {
			ran <- time.Now()
			return nil
		})})
		insert(t, s, q, plan(1))
		insert(t, s, q, command(1, 1)) // waits behind it
		died := time.Now()
		dead := claim(t, s, plan(1), lease)
		start(t, q)
		if wait := receive(t, ran).Sub(died); wait < lease-50*time.Millisecond || wait > 2*lease+patience/4 {
			t.Errorf("ran %s after the process died, want the lease, %s, to run out before", wait, lease)
		}
		receive(t, ran)
		idle(t, s)
		// It was not dead, only away: it must not touch what others do now.
		err := s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Finish(ctx, dead, store.Outcome{})
			return err
		})
		if !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("Finish by the one that was taken for dead = %v, want ErrLeaseLost", err)
		}
	})
}

func TestALongJobKeepsItsLease(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const lease = 2 * time.Second
		running := make(chan int, 10)
		config := queue.Config{Lease: lease, Handlers: handlers(func(ctx context.Context, j queue.Job) error {
			running <- 1
			select {
			case <-ctx.Done():
				t.Errorf("the context ended: %v", context.Cause(ctx))
			case <-time.After(2*lease + lease/2):
			}
			return s.Update(ctx, j.Holds)
		})}
		q := startQueue(t, s, config)
		startQueue(t, s, config)
		insert(t, s, q, plan(1))
		receive(t, running)
		idle(t, s)
		quietFor(t, running, lease/2)
	})
}

func TestALostLeaseEndsTheRun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		running, ended := make(chan queue.Job, 10), make(chan error, 10)
		q := startQueue(t, s, queue.Config{Lease: 400 * time.Millisecond, Handlers: handlers(func(ctx context.Context, j queue.Job) error {
			running <- j
			if j.Number == 1 {
				<-ctx.Done()
				ended <- errors.Join(context.Cause(ctx), s.Update(context.WithoutCancel(ctx), j.Holds))
			}
			return nil
		})})
		insert(t, s, q, plan(1))
		receive(t, running)
		raw(t, s, "UPDATE work SET job_id = job_id + 1000000 WHERE id = 'plan/1/1'") // as if it were another's by now
		if err := receive(t, ended); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("the run ended with %v, want ErrLeaseLost", err)
		}
	})
}

func raw(t *testing.T, s *store.Store, sql string) {
	t.Helper()
	err := s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		if tx.SQLite() != nil {
			_, err = tx.SQLite().ExecContext(ctx, sql)
			return err
		}
		_, err = tx.Postgres().Exec(ctx, sql)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A process can die between taking a River job and claiming its work.
func TestALostTicketIsReplaced(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, how := range []string{
			"UPDATE river_job SET state = 'running'", "DELETE FROM river_job", "UPDATE river_job SET state = 'discarded', finalized_at = scheduled_at",
			"UPDATE work SET state = 'blocked', job_id = 0",
		} {
			ran := make(chan queue.Job, 10)
			q := newQueue(t, s, queue.Config{Lease: 300 * time.Millisecond, Handlers: handlers(func(_ context.Context, j queue.Job) error { ran <- j; return nil })})
			insert(t, s, q, plan(1))
			raw(t, s, how)
			start(t, q)
			receive(t, ran)
			idle(t, s)
			quietFor(t, ran, 100*time.Millisecond)
			stop(t, q)
		}
	})
}

func TestAJobThatKillsItsProcessTooOftenHasFailed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		q := newQueue(t, s, queue.Config{MaxAttempts: 2, Lease: 300 * time.Millisecond, Handlers: handlers(func(context.Context, queue.Job) error { return nil })})
		insert(t, s, q, plan(1))
		w := claim(t, s, plan(1), 0)
		err := s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			tickets, err := tx.Rescue(ctx, w, 2)
			if len(tickets) != 1 {
				t.Errorf("rescue gave %v, want one ticket", tickets)
			}
			return errors.Join(err, tx.SetJob(ctx, w.ID, 99))
		})
		if err != nil {
			t.Fatal(err)
		}
		claim(t, s, plan(1), 0)
		start(t, q)
		expectFailed(t, s, "ended, 2 times")
	})
}
