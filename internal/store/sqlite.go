package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// sqliteFile is the database's name in its directory.
const sqliteFile = "mergegate.db"

// sqlite is one file with one writing connection, which everybody who writes waits for in turn, and
// a few that only read. So nobody ever sees SQLITE_BUSY.
type sqlite struct {
	write  *sql.DB
	read   *sql.DB
	lock   *directoryLock
	writer writer
}

func sqliteDialect() dialect {
	return dialect{
		now: "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		types: strings.NewReplacer(
			"BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT",
			"BYTEA", "BLOB"),
	}
}

func openSQLite(ctx context.Context, dir string) (*sqlite, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: make data directory: %w", err)
	}
	lock, err := lockDirectory(dir)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	b := &sqlite{lock: lock}
	if err := b.connect(ctx, filepath.Join(dir, sqliteFile)); err != nil {
		return nil, errors.Join(fmt.Errorf("open store in %s: %w", dir, err), b.close())
	}
	return b, nil
}

func (b *sqlite) connect(ctx context.Context, file string) error {
	file, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if err := touch(file); err != nil {
		return err
	}
	if b.write, err = openDB(file, false); err != nil {
		return err
	}
	b.write.SetMaxOpenConns(1)
	b.writer.db = b.write
	if err := b.write.PingContext(ctx); err != nil {
		return err
	}
	if b.read, err = openDB(file, true); err != nil {
		return err
	}
	b.read.SetMaxOpenConns(4)
	b.read.SetMaxIdleConns(4)
	return nil
}

func openDB(file string, readOnly bool) (*sql.DB, error) {
	c, err := newConnector(dsn(file, readOnly))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// touch makes the file so that only its owner can read it. SQLite gives its companions the same mode.
func touch(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func dsn(file string, readOnly bool) string {
	pragmas := []string{"busy_timeout(30000)", "journal_mode(wal)", "synchronous(full)", "foreign_keys(1)", "temp_store(memory)", "cache_size(-16000)"}
	if readOnly {
		pragmas = append(pragmas, "query_only(1)")
	} else {
		pragmas = append(pragmas, "wal_autocheckpoint(2000)", "journal_size_limit(67108864)")
	}
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	if readOnly {
		query.Set("_txlock", "deferred")
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(file), RawQuery: query.Encode()}).String()
}

func (b *sqlite) close() error {
	var errs []error
	if b.read != nil {
		errs = append(errs, b.read.Close())
	}
	if b.write != nil {
		errs = append(errs, b.write.Close())
	}
	return errors.Join(append(errs, b.lock.release())...)
}

func (b *sqlite) update(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if err := checkOutside(ctx); err != nil {
		return err
	}
	return b.writer.run(ctx, fn)
}

func (b *sqlite) exec(ctx context.Context, s statement) (changed int64, err error) {
	err = b.update(ctx, func(ctx context.Context, tx *Tx) error {
		changed, err = tx.db.exec(ctx, s)
		return err
	})
	return changed, err
}

func (b *sqlite) query(ctx context.Context, s statement, each func(scanner) error) error {
	if err := checkOutside(ctx); err != nil {
		return err
	}
	return eachRow(ctx, b.read, s, each)
}

func (b *sqlite) mutate(ctx context.Context, s statement, each func(scanner) error) error {
	return b.update(ctx, func(ctx context.Context, tx *Tx) error { return tx.db.mutate(ctx, s, each) })
}

// exclusively needs no more than the directory's lock, which this process has.
func (b *sqlite) exclusively(ctx context.Context, fn func(context.Context) error) error {
	return fn(ctx)
}

func (b *sqlite) migrate(ctx context.Context, version int, script string) error {
	tx, err := b.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, sqliteDialect().types.Replace(script)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO migrations (version) VALUES ($1)`, version); err != nil {
		return err
	}
	return tx.Commit()
}

// sqliteTx runs statements in a transaction.
type sqliteTx struct{ tx *sql.Tx }

func (t sqliteTx) exec(ctx context.Context, s statement) (int64, error) {
	result, err := t.tx.ExecContext(ctx, sqliteDialect().sql(s), s.args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t sqliteTx) query(ctx context.Context, s statement, each func(scanner) error) error {
	return eachRow(ctx, t.tx, s, each)
}

func (t sqliteTx) mutate(ctx context.Context, s statement, each func(scanner) error) error {
	return eachRow(ctx, t.tx, s, each)
}

type sqlQuerier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func eachRow(ctx context.Context, db sqlQuerier, s statement, each func(scanner) error) (err error) {
	rows, err := db.QueryContext(ctx, sqliteDialect().sql(s), s.args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
