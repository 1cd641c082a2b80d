package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// exclusiveLock is the advisory lock of Exclusively: "mergegat" in ASCII.
const exclusiveLock = 0x6d65726765676174

type postgres struct{ pool *pgxpool.Pool }

func postgresDialect() dialect {
	return dialect{now: "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"}
}

func openPostgres(ctx context.Context, database string) (*postgres, error) {
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, fmt.Errorf("open store: database URL: %w", err) // pgx leaves the password out
	}
	if !strings.Contains(database, "pool_max_conns=") {
		config.MaxConns = max(config.MaxConns, 16)
	}
	config.AfterConnect = durable
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open store: connect to PostgreSQL: %w", err)
	}
	return &postgres{pool: pool}, nil
}

// durable has a server whose default is to lose the last commits in a crash not do so here.
func durable(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

func (b *postgres) close() error {
	b.pool.Close()
	return nil
}

// maxTries is how often a transaction runs that PostgreSQL gives up for another one's sake.
const maxTries = 10

func (b *postgres) update(ctx context.Context, fn func(context.Context, *Tx) error) error {
	if err := checkOutside(ctx); err != nil {
		return err
	}
	var err error
	for range maxTries {
		var tx *Tx
		tx, err = b.try(ctx, fn)
		if err == nil {
			tx.committed()
			return nil
		}
		if !isConflict(err) {
			return err
		}
	}
	return err
}

func (b *postgres) try(ctx context.Context, fn func(context.Context, *Tx) error) (*Tx, error) {
	pg, err := b.pool.Begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("begin transaction: %w", err)
	}
	tx := &Tx{Queries: Queries{db: postgresTx{pg}}, pg: pg}
	if err := call(ctx, tx, fn); err != nil {
		return nil, errors.Join(err, pg.Rollback(context.WithoutCancel(ctx)))
	}
	if err := pg.Commit(ctx); err != nil {
		return nil, fmt.Errorf("commit transaction: %w", err)
	}
	return tx, nil
}

// isConflict: a serialization failure or a deadlock, after which the same may succeed.
func isConflict(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "40001" || pgErr.Code == "40P01")
}

func (b *postgres) exec(ctx context.Context, s statement) (int64, error) {
	if err := checkOutside(ctx); err != nil {
		return 0, err
	}
	tag, err := b.pool.Exec(ctx, postgresDialect().sql(s), s.args...)
	return tag.RowsAffected(), err
}

func (b *postgres) query(ctx context.Context, s statement, each func(scanner) error) error {
	if err := checkOutside(ctx); err != nil {
		return err
	}
	rows, err := b.pool.Query(ctx, postgresDialect().sql(s), s.args...)
	return eachPostgresRow(rows, err, each)
}

func (b *postgres) mutate(ctx context.Context, s statement, each func(scanner) error) error {
	return b.query(ctx, s, each)
}

// exclusively holds an advisory lock of the session: it goes with the process.
func (b *postgres) exclusively(ctx context.Context, fn func(context.Context) error) error {
	conn, err := b.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("lock database: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(exclusiveLock)); err != nil {
		return fmt.Errorf("lock database: %w", err)
	}
	err = fn(ctx)
	if _, unlockErr := conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(exclusiveLock)); unlockErr != nil {
		return errors.Join(err, fmt.Errorf("unlock database: %w", unlockErr))
	}
	return err
}

func (b *postgres) migrate(ctx context.Context, version int, script string) error {
	return pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, script); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO migrations (version) VALUES ($1)`, version)
		return err
	})
}

// postgresTx runs statements in a transaction.
type postgresTx struct{ tx pgx.Tx }

func (t postgresTx) exec(ctx context.Context, s statement) (int64, error) {
	tag, err := t.tx.Exec(ctx, postgresDialect().sql(s), s.args...)
	return tag.RowsAffected(), err
}

func (t postgresTx) query(ctx context.Context, s statement, each func(scanner) error) error {
	rows, err := t.tx.Query(ctx, postgresDialect().sql(s), s.args...)
	return eachPostgresRow(rows, err, each)
}

func (t postgresTx) mutate(ctx context.Context, s statement, each func(scanner) error) error {
	return t.query(ctx, s, each)
}

func eachPostgresRow(rows pgx.Rows, err error, each func(scanner) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
