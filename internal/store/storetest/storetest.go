//go:build unix

// Package storetest gives tests real databases: SQLite in a temporary directory and PostgreSQL. It
// knows how to find, install and start PostgreSQL, and nothing of what is stored.
package storetest

import (
	"context"
	"testing"

	"github.com/mergegate/mergegate/internal/store"
)

// Each runs fn as a subtest on an empty store of each database.
func Each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	EachDatabase(t, func(t *testing.T, database string) { fn(t, Open(t, database)) })
}

// EachDatabase runs fn as a subtest with the setting of an empty database of each kind, for tests
// that open it several times.
func EachDatabase(t *testing.T, fn func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, t.TempDir()) })
	t.Run("postgres", func(t *testing.T) { fn(t, Postgres(t)) })
}

// Open opens a store that is closed at the end of the test.
func Open(t testing.TB, database string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Config{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}
