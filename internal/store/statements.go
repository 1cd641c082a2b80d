package store

import (
	"context"
	"database/sql/driver"
	"fmt"

	modernc "modernc.org/sqlite"
)

// maxStatements bounds the prepared statements of a connection.
const maxStatements = 200

// connector opens SQLite connections that keep the statements they have prepared: to prepare one
// costs as much as to run a few.
type connector struct{ driver.Connector }

func newConnector(dsn string) (driver.Connector, error) {
	base, err := modernc.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return connector{base}, nil
}

// Connect opens a connection.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	base, ok := conn.(baseConn)
	if !ok {
		return nil, fmt.Errorf("connect to SQLite: its driver lacks something that it had: %T", conn)
	}
	return &cachingConn{baseConn: base, statements: map[string]*cached{}}, nil
}

// baseConn is what the driver's connections can do.
type baseConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// cachingConn is a connection with its prepared statements. Like any connection it is used by one
// goroutine at a time.
type cachingConn struct {
	baseConn
	statements map[string]*cached
}

type cached struct {
	driver.Stmt
	busy bool // its rows are being read
}

// statement is the prepared statement for a query, or nil when that is in use.
func (c *cachingConn) statement(ctx context.Context, query string) (*cached, error) {
	if s := c.statements[query]; s != nil {
		if s.busy {
			return nil, nil
		}
		return s, nil
	}
	if len(c.statements) >= maxStatements {
		if err := c.forget(); err != nil {
			return nil, err
		}
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &cached{Stmt: prepared}
	c.statements[query] = s
	return s, nil
}

// forget closes the statements that are not in use.
func (c *cachingConn) forget() error {
	for query, s := range c.statements {
		if s.busy {
			continue
		}
		if err := s.Close(); err != nil {
			return err
		}
		delete(c.statements, query)
	}
	return nil
}

// ExecContext runs a query without rows.
func (c *cachingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if run, ok := stmtOf[driver.StmtExecContext](s); ok {
		return run.ExecContext(ctx, args)
	}
	return c.baseConn.ExecContext(ctx, query, args)
}

// QueryContext runs a query with rows.
func (c *cachingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	run, ok := stmtOf[driver.StmtQueryContext](s)
	if !ok {
		return c.baseConn.QueryContext(ctx, query, args)
	}
	rows, err := run.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return &cachedRows{Rows: rows, statement: s}, nil
}

func stmtOf[T any](s *cached) (T, bool) {
	var none T
	if s == nil {
		return none, false
	}
	run, ok := s.Stmt.(T)
	return run, ok
}

// cachedRows frees its statement when it is closed.
type cachedRows struct {
	driver.Rows
	statement *cached
}

// Close ends the rows.
func (r *cachedRows) Close() error {
	err := r.Rows.Close()
	r.statement.busy = false
	return err
}

// Close ends the connection and its statements.
func (c *cachingConn) Close() error {
	for _, s := range c.statements {
		s.busy = false
	}
	if err := c.forget(); err != nil {
		return err
	}
	return c.baseConn.Close()
}
