// Package queue runs durable jobs on the store's database. It is the only user of River, and knows
// which jobs there are, in what order they run and what becomes of them when they fail, when they
// are superseded or when their process dies. It must not know what a job does.
//
// What there is to do is in the store's work table. A River job is only a ticket: it makes one run
// of one row happen, at a time. The row names its ticket, so a ticket that was lost with a process
// can be replaced at any time, and one that turns up late does nothing.
package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mergegate/mergegate/internal/store"
)

// Config is how a queue runs jobs. Only Handlers must be given.
type Config struct {
	Handlers map[Kind]Handler
	Workers  map[Kind]int // jobs of a kind that run at once in this process; 4
	Log      *slog.Logger
	Now      func() time.Time

	// SweepEvery is the interval of the Sweep job, which also runs at start; 0 for never.
	SweepEvery time.Duration
	// Timeout is how long a job may run; 30 min.
	Timeout time.Duration
	// MaxAttempts is how often a job may fail, and how many processes may die over it; 25.
	MaxAttempts int
	// Backoff is the wait after the first failure, which doubles with each, up to 10 min; 1 s.
	Backoff time.Duration
	// Grace is how long running jobs may go on when the queue stops; 20 s.
	Grace time.Duration
	// Lease is after what time without a sign of life another replica takes over a job; 15 s. The
	// jobs of a replica that dies run again within twice that.
	Lease time.Duration
	// Owner names this queue among the replicas; a random name when empty. It must be unique.
	Owner string
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	setDefault(&c.Timeout, 30*time.Minute)
	setDefault(&c.MaxAttempts, 25)
	setDefault(&c.Backoff, time.Second)
	setDefault(&c.Grace, 20*time.Second)
	setDefault(&c.Lease, 15*time.Second)
	if c.Owner == "" {
		host, _ := os.Hostname() // only so that people recognise it
		c.Owner = fmt.Sprintf("%.40s-%d-%s", host, os.Getpid(), rand.Text())
	}
	return c
}

func setDefault[T comparable](setting *T, value T) {
	var none T
	if *setting == none {
		*setting = value
	}
}

func (c Config) workers(kind Kind) int {
	if n := c.Workers[kind]; n > 0 {
		return n
	}
	return 4
}

// Queue is durable jobs and this process's part in running them.
type Queue struct {
	store  *store.Store
	config Config
	engine engine

	mu      sync.Mutex
	running map[string]*run // by key

	stopLoops context.CancelFunc
	loops     sync.WaitGroup
}

// run is one run of a job in this process.
type run struct {
	work    store.Work
	cancel  context.CancelCauseFunc
	renewed time.Time // when the lease was last extended
}

// New makes a queue and its tables. It runs nothing until Start.
func New(ctx context.Context, s *store.Store, config Config) (*Queue, error) {
	if len(config.Handlers) == 0 {
		return nil, errors.New("make job queue: no handlers")
	}
	q := &Queue{store: s, config: config.withDefaults(), running: map[string]*run{}}
	var err error
	if q.engine, err = newEngine(s, q.config, q.perform); err != nil {
		return nil, err
	}
	return q, s.Exclusively(ctx, q.engine.migrate)
}

// Insert asks for a job, in a transaction: it exists when that is committed, and not otherwise. A
// job of the same key that waits covers this request too. One that runs will run once more
// afterwards, however often it is asked for meanwhile.
func (q *Queue) Insert(ctx context.Context, tx *store.Tx, job Job) error {
	if q.config.Handlers[job.Kind] == nil {
		return fmt.Errorf("insert job %s: no handler for kind %q", job.Key(), job.Kind)
	}
	work, err := job.asWork()
	if err != nil {
		return fmt.Errorf("insert job %s: %w", job.Key(), err)
	}
	tickets, err := tx.Enqueue(ctx, work)
	if err != nil {
		return fmt.Errorf("insert job %s: %w", job.Key(), err)
	}
	return q.issue(ctx, tx, tickets)
}

// issue makes the River jobs for tickets.
func (q *Queue) issue(ctx context.Context, tx *store.Tx, tickets []store.Ticket) error {
	for _, t := range tickets {
		id, err := q.engine.insert(ctx, tx, t)
		if err != nil {
			return err
		}
		if err := tx.SetJob(ctx, t.ID, id); err != nil {
			return err
		}
	}
	return nil
}

// Supersede tells the run of a job of that key, if there is one, that its result is of no use any
// more: its context ends with ErrSuperseded when the transaction is committed, within about a
// second when it runs on another replica. The job then counts as done; so whoever wants a new
// result inserts it too, in the same transaction.
func (q *Queue) Supersede(ctx context.Context, tx *store.Tx, job Job) error {
	jobID, err := tx.Supersede(ctx, job.Key())
	if err != nil || jobID == 0 {
		return err
	}
	tx.AfterCommit(func() { q.cancel(store.Work{ID: job.Key(), JobID: jobID}, ErrSuperseded) })
	return nil
}

// cancel ends the context of a run in this process; of exactly that run, not of a later one.
func (q *Queue) cancel(work store.Work, cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if r := q.running[work.ID]; r != nil && r.work.JobID == work.JobID {
		r.cancel(cause)
	}
}

// Start runs jobs until Stop. What processes that died have left behind is taken up first. That ctx
// ends does not stop the queue.
func (q *Queue) Start(ctx context.Context) error {
	// On SQLite whoever had a ticket before was another process, and it is gone.
	if err := q.recover(ctx, map[string]int64{}, q.store.SQLite() != nil); err != nil {
		return err
	}
	ctx, q.stopLoops = context.WithCancel(context.WithoutCancel(ctx))
	if err := q.engine.start(ctx); err != nil {
		q.stopLoops()
		return err
	}
	q.loops.Go(func() { q.renewLoop(ctx) })
	q.loops.Go(func() { q.recoverLoop(ctx) })
	q.loops.Go(func() { q.supersedeLoop(ctx) })
	if q.config.SweepEvery > 0 && q.config.Handlers[Sweep] != nil {
		q.loops.Go(func() { q.sweepLoop(ctx) })
	}
	return nil
}

// Stop takes no more jobs, waits for those that run, ends their contexts when the grace period is
// over, and returns when all have returned. A job that was interrupted runs again with the next
// Start, of any process. When ctx ends first, jobs may still run; that is an error.
func (q *Queue) Stop(ctx context.Context) error {
	if q.stopLoops == nil {
		return nil
	}
	err := q.engine.stop(ctx) // the loops go on: jobs need their leases
	q.stopLoops()
	q.loops.Wait()
	return err
}
