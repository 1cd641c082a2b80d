package store

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
)

// statement is SQL with its arguments $1, $2, ...; {now} is the database's own time.
type statement struct {
	sql  string
	args []any
}

func stmt(sql string, args ...any) statement { return statement{sql: sql, args: args} }

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// querier runs statements: alone on a backend, or in a transaction.
type querier interface {
	// exec changes rows and returns how many.
	exec(ctx context.Context, s statement) (int64, error)
	// query reads rows.
	query(ctx context.Context, s statement, each func(scanner) error) error
	// mutate changes rows and reads what RETURNING gives.
	mutate(ctx context.Context, s statement, each func(scanner) error) error
}

type fetch func(ctx context.Context, s statement, each func(scanner) error) error

// all is every row of a statement.
func all[T any](ctx context.Context, run fetch, s statement, scan func(scanner) (T, error)) ([]T, error) {
	var list []T
	err := run(ctx, s, func(row scanner) error {
		value, err := scan(row)
		list = append(list, value)
		return err
	})
	return list, err
}

// first is the first row of a statement, or ErrNotFound.
func first[T any](ctx context.Context, run fetch, s statement, scan func(scanner) (T, error)) (T, error) {
	list, err := all(ctx, run, s, scan)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return list[0], nil
}

// value reads a row of one column.
func value[T any](row scanner) (T, error) {
	var v T
	err := row.Scan(&v)
	return v, err
}

// dialect is in what two databases differ.
type dialect struct {
	now   string            // the database's time in microseconds
	types *strings.Replacer // of the schema, which is written for PostgreSQL
}

func (d dialect) sql(s statement) string {
	if !strings.Contains(s.sql, "{now}") {
		return s.sql
	}
	return strings.ReplaceAll(s.sql, "{now}", d.now)
}

// insideKey marks a context as one of a running transaction.
type insideKey struct{}

func inside(ctx context.Context) context.Context { return context.WithValue(ctx, insideKey{}, true) }

var errInside = errors.New("use of the store inside one of its transactions: use the transaction")

func checkOutside(ctx context.Context) error {
	if ctx.Value(insideKey{}) != nil {
		return errInside
	}
	return nil
}

// call runs fn; a panic in it is an error, so that it takes down neither a batch nor a stranger's
// goroutine.
func call(ctx context.Context, tx *Tx, fn func(context.Context, *Tx) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("run transaction: panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return fn(inside(ctx), tx)
}
