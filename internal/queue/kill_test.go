package queue_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/store/storetest"
)

// The test binary with childVariable set is a process that runs jobs on that database until it is
// killed. It writes a line when a job begins: its key.
const childVariable = "MERGEGATE_QUEUE_CHILD"

func child(database string) int {
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	s, err := store.Open(ctx, store.Config{Database: database})
	if err != nil {
		log.Error("open", "error", err)
		return 1
	}
	q, err := queue.New(ctx, s, queue.Config{Log: log, Lease: time.Second, Backoff: 10 * time.Millisecond, Handlers: childHandlers(s)})
	if err == nil {
		err = q.Start(ctx)
	}
	if err != nil {
		log.Error("start", "error", err)
		return 1
	}
	select {} // until it is killed
}

// childHandlers: a plan never ends; a command records that it was run, after failing once.
func childHandlers(s *store.Store) map[queue.Kind]queue.Handler {
	return map[queue.Kind]queue.Handler{
		queue.Plan: func(ctx context.Context, j queue.Job) error {
			fmt.Println(j.Key())
			<-ctx.Done()
			return ctx.Err()
		},
		queue.Command: func(ctx context.Context, j queue.Job) error {
			fmt.Println(j.Key())
			if j.Attempt == 1 && j.CommentID%4 == 0 {
				return fmt.Errorf("failure")
			}
			return s.SetSetting(ctx, "ran/"+j.Key(), []byte("yes"))
		},
	}
}

// process is a child.
type process struct {
	cmd   *exec.Cmd
	lines chan string
}

func startChild(t *testing.T, database string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+database)
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd, lines: make(chan string, 10000)}
	go func() {
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			p.lines <- scanner.Text()
		}
		close(p.lines)
	}()
	return p
}

// kill is SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	for range p.lines {
	}
	if err := p.cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the child ended with %v, want killed", err)
	}
}

// prepare inserts jobs as a process does that then ends.
func prepare(t *testing.T, database string, jobs []queue.Job) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	q := newQueue(t, s, queue.Config{Handlers: childHandlers(s)})
	for _, j := range jobs {
		insert(t, s, q, j)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestKilledInTheMiddleOfAJob(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		prepare(t, database, []queue.Job{plan(1)})
		for i := range 12 {
			started := time.Now()
			p := startChild(t, database)
			if key := receive(t, p.lines); key != "plan/1/1" {
				t.Fatalf("kill %d: the child ran %q", i, key)
			}
			if took := time.Since(started); took > patience/2 {
				t.Errorf("kill %d: the job ran again after %s", i, took)
			}
			p.kill(t)
		}
		ran := make(chan queue.Job, 10)
		s := storetest.Open(t, database)
		startQueue(t, s, queue.Config{Lease: time.Second, Handlers: handlers(func(_ context.Context, j queue.Job) error { ran <- j; return nil })})
		if j := receive(t, ran); j.Attempt != 1 {
			t.Errorf("it is attempt %d: a killed process is no failure of the job", j.Attempt)
		}
		quietFor(t, ran, 300*time.Millisecond)
		idle(t, s)
	})
}

func TestKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		const lanes, each = 10, 12
		var jobs []queue.Job
		for i := range lanes * each {
			jobs = append(jobs, command(i%lanes, i))
		}
		prepare(t, database, jobs)
		for range 10 {
			p := startChild(t, database)
			receive(t, p.lines)
			<-time.After(rand.N(120 * time.Millisecond))
			p.kill(t)
		}
		p := startChild(t, database)
		s := watchStore(t, database, p)
		idle(t, s)
		for _, j := range jobs {
			if _, err := s.Setting(t.Context(), "ran/"+j.Key()); err != nil {
				t.Errorf("job %s never ran: %v", j.Key(), err)
			}
		}
	})
}

// watchStore is a store on the database that a child uses. SQLite is one process's: there the child
// is killed and its work is done here.
func watchStore(t *testing.T, database string, p *process) *store.Store {
	t.Helper()
	if store.IsPostgres(database) {
		t.Cleanup(func() { p.kill(t) })
		return storetest.Open(t, database)
	}
	p.kill(t)
	s := storetest.Open(t, database)
	startQueue(t, s, queue.Config{Lease: time.Second, Backoff: 10 * time.Millisecond, Handlers: childHandlers(s)})
	return s
}
