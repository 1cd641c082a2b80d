// Package store keeps what mergegate knows: deliveries, repositories, pull requests, evaluations,
// the journal of outward effects, the audit record and the work to do. It is the only user of SQL.
// It knows two databases behind one schema: SQLite, one file in a directory that belongs to one
// process, and PostgreSQL, shared by several. It must not know what a delivery means, what a plan
// says or who runs the work.
//
// Whatever a method has written is on disk when it returns. Every time is UTC, of microseconds.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// Config is what a store needs.
type Config struct {
	// Database is a postgres:// URL, or the directory that holds the SQLite file. The directory is
	// made when it is missing; only one process can use it at a time.
	Database string
	// Now is the clock; time.Now when nil. Leases use the database's own clock, which replicas share.
	Now func() time.Time
}

// Store is an open database. Its own methods each run in a transaction of their own; several in
// one transaction go through [Store.Update].
type Store struct {
	Queries
	backend backend
}

// backend is a database: SQLite or PostgreSQL.
type backend interface {
	querier
	update(ctx context.Context, fn func(context.Context, *Tx) error) error
	exclusively(ctx context.Context, fn func(context.Context) error) error
	migrate(ctx context.Context, version int, script string) error
	close() error
}

// Queries are the statements that may run alone (methods of a Store) or in a transaction (methods
// of a Tx).
type Queries struct {
	db     querier
	now    func() time.Time
	packer *packer
}

// Tx is a transaction. It ends with the function that was given to [Store.Update].
type Tx struct {
	Queries
	sqlite *sql.Tx
	pg     pgx.Tx
	after  []func()
}

// Open opens the database, making or migrating it where needed.
func Open(ctx context.Context, config Config) (*Store, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	b, err := openBackend(ctx, config.Database)
	if err != nil {
		return nil, err
	}
	s := &Store{Queries: Queries{db: b, now: config.Now, packer: &packer{}}, backend: b}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return s, nil
}

func openBackend(ctx context.Context, database string) (backend, error) {
	switch {
	case database == "":
		return nil, errors.New("open store: no database: give a directory or a postgres:// URL")
	case IsPostgres(database):
		return openPostgres(ctx, database)
	case strings.Contains(database, "://"):
		scheme, _, _ := strings.Cut(database, "://")
		return nil, fmt.Errorf("open store: database of scheme %q: want a directory or a postgres:// URL", scheme)
	}
	return openSQLite(ctx, database)
}

// IsPostgres tells whether a database setting names a PostgreSQL server.
func IsPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

func (s *Store) prepare(ctx context.Context) error {
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if s.SQLite() == nil {
		return nil
	}
	return s.expireAll(ctx)
}

// Close ends the store. Nothing may use it any more.
func (s *Store) Close() error { return s.backend.close() }

// Update runs fn in a transaction: all that fn does through tx is kept, or, when fn returns an
// error, none of it. fn must be short, must not wait for anything but the database and must not
// use the Store itself, only tx. It may run more than once (PostgreSQL asks for that after a
// deadlock). On SQLite the transactions of concurrent callers are written to disk together.
func (s *Store) Update(ctx context.Context, fn func(context.Context, *Tx) error) error {
	return s.backend.update(ctx, func(ctx context.Context, tx *Tx) error {
		tx.now, tx.packer = s.now, s.packer
		return fn(ctx, tx)
	})
}

// Exclusively runs fn while no other process runs Exclusively on the same database.
func (s *Store) Exclusively(ctx context.Context, fn func(context.Context) error) error {
	return s.backend.exclusively(ctx, fn)
}

// SQLite is the handle of the one writing connection, nil on PostgreSQL. It is for the job queue,
// whose tables are in the same database.
func (s *Store) SQLite() *sql.DB {
	if b, ok := s.backend.(*sqlite); ok {
		return b.write
	}
	return nil
}

// Postgres is the connection pool, nil on SQLite. It is for the job queue.
func (s *Store) Postgres() *pgxpool.Pool {
	if b, ok := s.backend.(*postgres); ok {
		return b.pool
	}
	return nil
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.Setting(ctx, "ping"); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("ping database: %w", err)
	}
	return nil
}

// SQLite is the transaction of an SQLite store, nil on PostgreSQL.
func (tx *Tx) SQLite() *sql.Tx { return tx.sqlite }

// Postgres is the transaction of a PostgreSQL store, nil on SQLite.
func (tx *Tx) Postgres() pgx.Tx { return tx.pg }

// AfterCommit has fn run once the transaction is on disk, in the goroutine that called Update.
func (tx *Tx) AfterCommit(fn func()) { tx.after = append(tx.after, fn) }

func (tx *Tx) committed() {
	for _, fn := range tx.after {
		fn()
	}
}

// micros is a time as it is stored.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment is a stored time.
func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

func (q Queries) micros() int64 { return micros(q.now()) }

// randomToken is 128 random bits.
func randomToken() string {
	var token [16]byte
	rand.Read(token[:]) // never fails
	return hex.EncodeToString(token[:])
}
