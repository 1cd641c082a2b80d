package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/mergegate/mergegate/internal/store"
)

// ticket is the one kind of River job: it says which work it may run. All else about the work is in
// its row, where it can change while the ticket waits.
type ticket struct {
	ID   string `json:"id"`
	Lane string `json:"lane"`
	Work string `json:"work"` // the work's kind
}

// Kind is River's name of the job.
func (ticket) Kind() string { return "mergegate" }

// engine is River on one of the databases.
type engine interface {
	migrate(ctx context.Context) error
	insert(ctx context.Context, tx *store.Tx, t store.Ticket) (jobID int64, err error)
	start(ctx context.Context) error
	stop(ctx context.Context) error
}

// perform runs the work of a ticket. Its error is one of the machinery, not of the work.
type perform func(ctx context.Context, t store.Ticket, jobID int64) error

func newEngine(s *store.Store, c Config, run perform) (engine, error) {
	if db := s.SQLite(); db != nil {
		// There is no notification between connections: River looks for news every 50 ms.
		return newRiver[*sql.Tx](riversqlite.New(db), (*store.Tx).SQLite, c.river(10*time.Millisecond, run))
	}
	return newRiver[pgx.Tx](riverpgxv5.New(s.Postgres()), (*store.Tx).Postgres, c.river(time.Millisecond, run))
}

// river is how River is configured. Its own retries, timeouts and rescues are only for tickets, so
// for faults of the database: work has its own. Of a new job River tells only when it told of none
// within the cooldown, and counts on the poll for the rest; so both are short.
func (c Config) river(cooldown time.Duration, run perform) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &worker{run: run})
	queues := map[string]river.QueueConfig{}
	for kind := range c.Handlers {
		queues[string(kind)] = river.QueueConfig{MaxWorkers: c.workers(kind)}
	}
	return &river.Config{
		ID:                          c.Owner,
		Logger:                      slog.New(quiet{c.Log.Handler()}),
		Workers:                     workers,
		Queues:                      queues,
		FetchCooldown:               cooldown,
		FetchPollInterval:           200 * time.Millisecond,
		JobTimeout:                  -1,
		RescueStuckJobsAfter:        24 * time.Hour,
		SoftStopTimeout:             c.Grace,
		CompletedJobRetentionPeriod: time.Hour,
		Hooks:                       []rivertype.Hook{&dueHook{}},
		SkipUnknownJobCheck:         true,
	}
}

// dueHook makes tickets for later available at once, with a time before which nobody fetches them.
// Without it they would wait for River's leader, which after a crash takes a while to be elected.
type dueHook struct{ river.HookDefaults }

// InsertBegin is called by River.
func (*dueHook) InsertBegin(_ context.Context, params *rivertype.JobInsertParams) error {
	if params.State == rivertype.JobStateScheduled {
		params.State = rivertype.JobStateAvailable
	}
	return nil
}

// worker gives River's jobs to the queue.
type worker struct {
	river.WorkerDefaults[ticket]
	run perform
}

// Work is called by River.
func (w *worker) Work(ctx context.Context, job *river.Job[ticket]) error {
	t := store.Ticket{ID: job.Args.ID, Lane: job.Args.Lane, Kind: job.Args.Work}
	err := w.run(ctx, t, job.ID)
	if err != nil && ctx.Err() != nil {
		return river.JobSnooze(0) // we stop: for the next process
	}
	return err
}

// riverOn is River on a database whose transactions are a T.
type riverOn[T any] struct {
	client   *river.Client[T]
	migrator *rivermigrate.Migrator[T]
	unwrap   func(*store.Tx) T
}

func newRiver[T any](driver riverdriver.Driver[T], unwrap func(*store.Tx) T, config *river.Config) (engine, error) {
	client, err := river.NewClient(driver, config)
	if err != nil {
		return nil, fmt.Errorf("make job queue: %w", err)
	}
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: config.Logger})
	if err != nil {
		return nil, fmt.Errorf("make job queue: %w", err)
	}
	return &riverOn[T]{client: client, migrator: migrator, unwrap: unwrap}, nil
}

func (e *riverOn[T]) migrate(ctx context.Context) error {
	if _, err := e.migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate job queue: %w", err)
	}
	return nil
}

func (e *riverOn[T]) insert(ctx context.Context, tx *store.Tx, t store.Ticket) (int64, error) {
	result, err := e.client.InsertTx(ctx, e.unwrap(tx), ticket{ID: t.ID, Lane: t.Lane, Work: t.Kind},
		&river.InsertOpts{Queue: t.Kind, ScheduledAt: t.Due})
	if err != nil {
		return 0, fmt.Errorf("insert job for %s: %w", t.ID, err)
	}
	return result.Job.ID, nil
}

func (e *riverOn[T]) start(ctx context.Context) error {
	if err := e.client.Start(ctx); err != nil {
		return fmt.Errorf("start job queue: %w", err)
	}
	return nil
}

func (e *riverOn[T]) stop(ctx context.Context) error {
	err := e.client.Stop(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("stop job queue: jobs still run: %w", err)
	}
	return err
}

// quiet leaves out what River says of its own routine.
type quiet struct{ slog.Handler }

// Enabled leaves out what is below a warning.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}
