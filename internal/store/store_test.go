package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/store/storetest"
)

func TestUpdateKeepsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		wrong := errors.New("wrong")
		err := s.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
			must(t, tx.SetSetting(ctx, "a", []byte("1")))
			tx.AfterCommit(func() { t.Error("AfterCommit ran after an error") })
			return wrong
		})
		if !errors.Is(err, wrong) {
			t.Errorf("Update = %v, want the function's error", err)
		}
		if _, err := s.Setting(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("setting of a rolled back transaction: %v, want ErrNotFound", err)
		}
		committed := false
		must(t, s.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
			tx.AfterCommit(func() { committed = true })
			return tx.SetSetting(ctx, "a", []byte("2"))
		}))
		if v, err := s.Setting(ctx, "a"); err != nil || string(v) != "2" || !committed {
			t.Errorf("setting = %q, %v; AfterCommit ran: %v", v, err, committed)
		}
	})
}

func TestUpdatePanicIsThatCallersError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.Update(t.Context(), func(context.Context, *store.Tx) error { panic("boom") })
		if err == nil || !strings.Contains(err.Error(), "boom") {
			t.Errorf("Update = %v, want the panic", err)
		}
		must(t, s.SetSetting(t.Context(), "a", nil))
	})
}

func TestUseOfTheStoreInsideATransactionIsAnError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		must(t, s.Update(t.Context(), func(ctx context.Context, _ *store.Tx) error {
			if err := s.SetSetting(ctx, "a", nil); err == nil {
				t.Error("write through the store inside a transaction: no error")
			}
			if _, err := s.Setting(ctx, "a"); err == nil || errors.Is(err, store.ErrNotFound) {
				t.Errorf("read through the store inside a transaction: %v", err)
			}
			return nil
		}))
	})
}

// Concurrent transactions share commits on SQLite; each must still stand alone.
func TestConcurrentUpdatesAreIndependent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const n = 200
		var wg sync.WaitGroup
		var failed atomic.Int32
		wrong := errors.New("wrong")
		for i := range n {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := s.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
					if err := tx.SetSetting(ctx, fmt.Sprint("k", i), []byte("v")); err != nil {
						return err
					}
					switch i % 5 {
					case 1:
						return wrong
					case 2:
						cancel() // a caller that goes away takes nobody along
						return wrong
					case 3: // a statement that fails
						_, err := tx.BumpGeneration(ctx, 1, i)
						return err
					}
					return nil
				})
				if (err != nil) != (i%5 == 1 || i%5 == 2 || i%5 == 3) {
					t.Errorf("Update %d = %v", i, err)
				}
				if err != nil {
					failed.Add(1)
				}
			})
		}
		wg.Wait()
		for i := range n {
			_, err := s.Setting(t.Context(), fmt.Sprint("k", i))
			if want := i%5 == 0 || i%5 == 4; (err == nil) != want {
				t.Errorf("setting %d kept: %v, want %v", i, err == nil, want)
			}
		}
		if failed.Load() != n*3/5 {
			t.Errorf("%d failed, want %d", failed.Load(), n*3/5)
		}
	})
}

func TestUpdateOfACancelledCaller(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Update(ctx, func(context.Context, *store.Tx) error { t.Error("ran"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Update = %v, want context.Canceled", err)
		}
	})
}

func TestReopenKeepsEverything(t *testing.T) {
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		for i := range 3 {
			s, err := store.Open(t.Context(), store.Config{Database: database})
			if err != nil {
				t.Fatal(err)
			}
			v, err := s.EnsureSetting(t.Context(), "key", fmt.Appendf(nil, "value %d", i))
			if err != nil || string(v) != "value 0" {
				t.Errorf("open %d: setting = %q, %v", i, v, err)
			}
			must(t, s.Ping(t.Context()))
			must(t, s.Close())
		}
	})
}

func TestReplicasMayMigrateTogether(t *testing.T) {
	database := storetest.Postgres(t)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			s, err := store.Open(t.Context(), store.Config{Database: database})
			if err != nil {
				t.Error(err)
				return
			}
			must(t, s.Close())
		})
	}
	wg.Wait()
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	storetest.Open(t, dir)
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for database, want := range map[string]string{
		"":                        "no database",
		"mysql://host/db":         `scheme "mysql"`,
		dir:                       fmt.Sprintf("in use by another mergegate process (pid %d)", os.Getpid()),
		file:                      "data directory",
		"postgres://[":            "database URL",
		"postgres:///x?host=/nix": "connect to PostgreSQL",
	} {
		s, err := store.Open(t.Context(), store.Config{Database: database})
		if err == nil {
			must(t, s.Close())
			t.Errorf("Open(%q): no error", database)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, want %q in it", database, err, want)
		}
	}
}

func TestErrorsDoNotShowThePassword(t *testing.T) {
	for _, database := range []string{"postgres://u:hunter2@[", "postgres://u:hunter2@/x?host=/nix", "postgres://u:hunter2@h:port/x"} {
		_, err := store.Open(t.Context(), store.Config{Database: database})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open = %v", err)
		}
	}
}

func TestDatabaseOfANewerProgram(t *testing.T) {
	storetest.EachDatabase(t, func(t *testing.T, database string) {
		s, err := store.Open(t.Context(), store.Config{Database: database})
		if err != nil {
			t.Fatal(err)
		}
		must(t, s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			if tx.SQLite() != nil {
				_, err = tx.SQLite().ExecContext(ctx, "INSERT INTO migrations (version) VALUES (99)")
				return err
			}
			_, err = tx.Postgres().Exec(ctx, "INSERT INTO migrations (version) VALUES (99)")
			return err
		}))
		must(t, s.Close())
		if _, err = store.Open(t.Context(), store.Config{Database: database}); err == nil || !strings.Contains(err.Error(), "newer program") {
			t.Errorf("Open = %v, want advice to use the newer program", err)
		}
	})
}

func TestSQLiteSettings(t *testing.T) {
	dir := t.TempDir()
	s := storetest.Open(t, dir)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "30000"} {
		var got string
		must(t, s.SQLite().QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got))
		if got != want {
			t.Errorf("PRAGMA %s = %s, want %s", pragma, got, want)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "mergegate.db"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("database file: %v, %v; want mode 0600", info.Mode(), err)
	}
}

func TestLeases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a := acquire(t, s, "a", time.Minute, true)
		acquire(t, s, "b", time.Minute, false)
		acquire(t, s, "a", time.Minute, false)
		must(t, s.Renew(ctx, a, time.Minute))
		must(t, s.Release(ctx, a))
		b := acquire(t, s, "b", -time.Second, true) // expired at once
		if err := s.Renew(ctx, a, time.Minute); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("Renew of a released lease = %v, want ErrLeaseLost", err)
		}
		acquire(t, s, "b", time.Minute, true) // by the same owner, but anew
		if err := s.Release(ctx, b); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("Release of a lease that was taken over = %v, want ErrLeaseLost", err)
		}
	})
}

func acquire(t *testing.T, s *store.Store, owner string, ttl time.Duration, want bool) store.Lease {
	t.Helper()
	l, ok, err := s.Acquire(t.Context(), "key", owner, ttl)
	if err != nil || ok != want {
		t.Errorf("Acquire by %s = %v, %v; want %v", owner, ok, err, want)
	}
	return l
}

func TestLeaseIsExclusive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var got atomic.Int32
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				_, ok, err := s.Acquire(t.Context(), "key", fmt.Sprint(i), time.Minute)
				if err != nil {
					t.Error(err)
				}
				if ok {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		if got.Load() != 1 {
			t.Errorf("%d of 20 acquired the lease", got.Load())
		}
	})
}

func TestDueIsToldOncePerInterval(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var told atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				due, err := s.Due(t.Context(), "sweep", time.Hour)
				if err != nil {
					t.Error(err)
				}
				if due {
					told.Add(1)
				}
			})
		}
		wg.Wait()
		if told.Load() != 1 {
			t.Errorf("told %d times that the sweep is due", told.Load())
		}
		if due, err := s.Due(t.Context(), "sweep", 0); err != nil || !due {
			t.Errorf("Due after the interval = %v, %v", due, err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
