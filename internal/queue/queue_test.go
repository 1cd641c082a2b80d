package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/store/storetest"
)

func TestMain(m *testing.M) {
	if database := os.Getenv(childVariable); database != "" {
		os.Exit(child(database))
	}
	os.Exit(m.Run())
}

// patience is how long tests wait for what must happen.
const patience = 90 * time.Second

func newQueue(t testing.TB, s *store.Store, c queue.Config) *queue.Queue {
	t.Helper()
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	}
	if c.Grace == 0 {
		c.Grace = time.Second
	}
	q, err := queue.New(context.Background(), s, c)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func start(t testing.TB, q *queue.Queue) *queue.Queue {
	t.Helper()
	if err := q.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, q) })
	return q
}

func stop(t testing.TB, q *queue.Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		t.Errorf("Stop = %v", err)
	}
}

func startQueue(t testing.TB, s *store.Store, c queue.Config) *queue.Queue {
	t.Helper()
	return start(t, newQueue(t, s, c))
}

func insert(t testing.TB, s *store.Store, q *queue.Queue, jobs ...queue.Job) {
	t.Helper()
	err := s.Update(context.Background(), func(ctx context.Context, tx *store.Tx) error {
		for _, job := range jobs {
			if err := q.Insert(ctx, tx, job); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// handlers is one handler for all kinds.
func handlers(h queue.Handler) map[queue.Kind]queue.Handler {
	return map[queue.Kind]queue.Handler{queue.Delivery: h, queue.Plan: h, queue.Command: h, queue.Group: h, queue.Sweep: h}
}

func plan(number int) queue.Job {
	return queue.Job{Kind: queue.Plan, RepositoryID: 1, Number: number}
}

func command(number, comment int) queue.Job {
	return queue.Job{Kind: queue.Command, RepositoryID: 1, Number: number, CommentID: int64(comment)}
}

// receive is the next value of a channel.
func receive[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}

// quietFor fails when something comes within a time that is long for the queue.
func quietFor[T any](t testing.TB, from <-chan T, d time.Duration) {
	t.Helper()
	select {
	case v := <-from:
		t.Errorf("unexpected: %v", v)
	case <-time.After(d):
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func idle(t testing.TB, s *store.Store) {
	t.Helper()
	eventually(t, "no work left", func() bool {
		counts, err := s.CountWork(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return len(counts) == 0
	})
}

func TestInsertIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan queue.Job, 10)
		q := startQueue(t, s, queue.Config{Handlers: handlers(func(_ context.Context, j queue.Job) error { ran <- j; return nil })})
		wrong := errors.New("wrong")
		err := s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			if err := q.Insert(ctx, tx, plan(1)); err != nil {
				t.Error(err)
			}
			return wrong
		})
		if !errors.Is(err, wrong) {
			t.Errorf("Update = %v", err)
		}
		insert(t, s, q, queue.Job{Kind: queue.Delivery, GUID: "g"})
		if j := receive(t, ran); j.GUID != "g" || j.Attempt != 1 || j.Last {
			t.Errorf("ran %+v, want the delivery's first attempt", j)
		}
		quietFor(t, ran, 300*time.Millisecond)
		idle(t, s)
	})
}

func TestInsertOfAnUnknownKind(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, t.TempDir())
	q := newQueue(t, s, queue.Config{Handlers: map[queue.Kind]queue.Handler{queue.Plan: func(context.Context, queue.Job) error { return nil }}})
	err := s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return q.Insert(ctx, tx, queue.Job{Kind: queue.Sweep})
	})
	if err == nil {
		t.Error("Insert of a job that nobody handles: no error")
	}
}

func TestPickUpIsFast(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan time.Time, 1)
		q := startQueue(t, s, queue.Config{Handlers: handlers(func(context.Context, queue.Job) error { ran <- time.Now(); return nil })})
		insert(t, s, q, plan(0))
		receive(t, ran) // started
		var took []time.Duration
		for i := range 21 {
			inserted := time.Now()
			insert(t, s, q, plan(i+1))
			took = append(took, receive(t, ran).Sub(inserted))
		}
		slices.Sort(took)
		t.Logf("insert to run: lower quartile %s, median %s, max %s", took[5], took[10], took[20])
		if took[5] > 100*time.Millisecond { // not the median: the machine may be busy
			t.Errorf("insert to run took %s in the lower quartile, want < 100ms", took[5])
		}
	})
}

// watch records what runs at once.
type watch struct {
	mu      sync.Mutex
	now     map[string]int
	order   map[string][]int64
	doubled []string
	ran     map[string]int
}

func newWatch() *watch {
	return &watch{now: map[string]int{}, order: map[string][]int64{}, ran: map[string]int{}}
}

func (w *watch) handle(_ context.Context, j queue.Job) error {
	w.mu.Lock()
	w.now[j.Lane()]++
	if w.now[j.Lane()] > 1 {
		w.doubled = append(w.doubled, j.Key())
	}
	w.order[j.Lane()] = append(w.order[j.Lane()], j.CommentID)
	w.ran[j.Key()]++
	w.mu.Unlock()
	<-time.After(5 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now[j.Lane()]--
	return nil
}

// Two queues on one database: two replicas on PostgreSQL.
func TestALaneIsSerialAcrossQueues(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		stores := []*store.Store{storetest.Open(t, database)}
		if store.IsPostgres(database) {
			stores = append(stores, storetest.Open(t, database))
		} else {
			stores = append(stores, stores[0])
		}
		w := newWatch()
		config := queue.Config{Handlers: handlers(w.handle), Workers: map[queue.Kind]int{queue.Command: 8}}
		a, b := startQueue(t, stores[0], config), startQueue(t, stores[1], config)
		const lanes, jobs = 4, 15
		var wg sync.WaitGroup
		for lane := range lanes {
			wg.Go(func() {
				for i := range jobs {
					if i%2 == 0 {
						insert(t, stores[0], a, command(lane, i+1))
					} else {
						insert(t, stores[1], b, command(lane, i+1))
					}
				}
			})
		}
		wg.Wait()
		idle(t, stores[0])
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.doubled) > 0 {
			t.Errorf("ran beside others of their lane: %v", w.doubled)
		}
		if len(w.ran) != lanes*jobs {
			t.Errorf("%d jobs ran, want %d", len(w.ran), lanes*jobs)
		}
		for key, n := range w.ran {
			if n != 1 {
				t.Errorf("%s ran %d times", key, n)
			}
		}
		for lane, order := range w.order {
			if !slices.IsSorted(order) {
				t.Errorf("%s ran in the order %v", lane, order)
			}
		}
	})
}

func TestLanesRunInParallelUpToWorkers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		running, release := make(chan int, 10), make(chan struct{})
		q := startQueue(t, s, queue.Config{Workers: map[queue.Kind]int{queue.Plan: 3}, Handlers: handlers(func(ctx context.Context, j queue.Job) error {
			running <- j.Number
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})})
		for i := range 5 {
			insert(t, s, q, plan(i))
		}
		for range 3 {
			receive(t, running)
		}
		quietFor(t, running, 300*time.Millisecond)
		close(release)
		receive(t, running)
		receive(t, running)
		idle(t, s)
	})
}

func TestWaitingJobsOfAKeyAreOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan queue.Job, 10)
		q := newQueue(t, s, queue.Config{Handlers: handlers(func(_ context.Context, j queue.Job) error { ran <- j; return nil })})
		for range 5 {
			insert(t, s, q, plan(1), plan(1))
		}
		insert(t, s, q, plan(2))
		start(t, q)
		if a, b := receive(t, ran), receive(t, ran); a.Number+b.Number != 3 {
			t.Errorf("ran %v and %v", a, b)
		}
		quietFor(t, ran, 300*time.Millisecond)
		idle(t, s)
	})
}

func TestARunningJobIsFollowedByOneMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		running, release := make(chan queue.Job), make(chan struct{})
		q := startQueue(t, s, queue.Config{Handlers: handlers(func(_ context.Context, j queue.Job) error { running <- j; <-release; return nil })})
		insert(t, s, q, plan(1))
		receive(t, running)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { insert(t, s, q, plan(1)) })
		}
		wg.Wait()
		quietFor(t, running, 300*time.Millisecond)
		release <- struct{}{}
		if j := receive(t, running); j.Attempt != 1 {
			t.Errorf("the second run is attempt %d, want 1", j.Attempt)
		}
		release <- struct{}{}
		quietFor(t, running, 300*time.Millisecond)
		idle(t, s)
	})
}

func supersede(t *testing.T, s *store.Store, q *queue.Queue, job queue.Job) {
	t.Helper()
	err := s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		return errors.Join(q.Supersede(ctx, tx, job), q.Insert(ctx, tx, job))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The queue that supersedes is the one that runs the job, or another replica.
func TestSupersede(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"here", "elsewhere"} {
		t.Run(where, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) { testSupersede(t, s, where) })
		})
	}
}

func testSupersede(t *testing.T, s *store.Store, where string) {
	running, ended, contexts := make(chan queue.Job), make(chan error), make(chan context.Context, 10)
	config := queue.Config{Handlers: handlers(func(ctx context.Context, j queue.Job) error {
		if j.Kind == queue.Plan {
			contexts <- ctx
		}
		running <- j
		if j.Kind == queue.Command {
			return nil
		}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return ctx.Err()
	})}
	q := startQueue(t, s, config)
	by := q
	if where == "elsewhere" {
		by = newQueue(t, s, config) // not started: it runs nothing itself
	}
	insert(t, s, q, plan(1))
	receive(t, running)
	for range 2 {
		ctx := receive(t, contexts)
		supersede(t, s, by, plan(1))
		if where == "here" && ctx.Err() == nil {
			t.Error("the context goes on after the transaction that superseded its job")
		}
		if cause := receive(t, ended); !errors.Is(cause, queue.ErrSuperseded) {
			t.Errorf("the context's cause is %v, want ErrSuperseded", cause)
		}
		if j := receive(t, running); j.Attempt != 1 {
			t.Errorf("the newer run is attempt %d", j.Attempt)
		}
	}
	// A command of the same lane waits for its turn and is not lost.
	insert(t, s, q, command(1, 5))
	err := s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error { return by.Supersede(ctx, tx, plan(1)) })
	if err != nil {
		t.Fatal(err)
	}
	receive(t, ended)
	if j := receive(t, running); j.Kind != queue.Command {
		t.Errorf("then ran %+v, want the command", j)
	}
	idle(t, s)
}

func TestSupersedeOfWhatDoesNotRun(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan queue.Job, 10)
		q := newQueue(t, s, queue.Config{Handlers: handlers(func(ctx context.Context, j queue.Job) error { ran <- j; return ctx.Err() })})
		supersede(t, s, q, plan(1))
		supersede(t, s, q, plan(1))
		start(t, q)
		receive(t, ran)
		quietFor(t, ran, 200*time.Millisecond)
		idle(t, s)
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ran := make(chan time.Time, 100)
		config := queue.Config{SweepEvery: time.Hour, Handlers: handlers(func(context.Context, queue.Job) error { ran <- time.Now(); return nil })}
		startQueue(t, s, config)
		receive(t, ran) // at start
		idle(t, s)
		startQueue(t, s, config)
		receive(t, ran) // at the other one's start, and only then
		quietFor(t, ran, 300*time.Millisecond)
		config.SweepEvery = 200 * time.Millisecond
		startQueue(t, s, config)
		for range 4 {
			receive(t, ran) // that all replicas together sweep once per interval is the store's test
		}
	})
}

func TestKeysAndLanes(t *testing.T) {
	t.Parallel()
	jobs := []queue.Job{
		{Kind: queue.Delivery, GUID: "g"},
		plan(2), command(2, 7),
		{Kind: queue.Sweep},
		{Kind: queue.Sweep, InstallationID: 3},
		{Kind: queue.Group, RepositoryID: 1, HeadSHA: "h", BaseSHA: "b", BaseRef: "main"},
	}
	var got []string
	for _, j := range jobs {
		got = append(got, fmt.Sprint(j.Key(), " in ", j.Lane()))
	}
	want := []string{
		"delivery/g in delivery/g", "plan/1/2 in pull/1/2", "command/1/2/7 in pull/1/2", "sweep/0 in sweep/0", "sweep/3 in sweep/3", "group/1/h/b/main in group/1/h",
	}
	if !slices.Equal(got, want) {
		t.Errorf("keys and lanes:\n got %q\nwant %q", got, want)
	}
}
