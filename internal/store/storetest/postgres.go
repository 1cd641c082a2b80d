//go:build unix

package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names a running PostgreSQL as a URL whose user may create databases.
const Variable = "MERGEGATE_TEST_POSTGRES"

// server is the PostgreSQL of this test process: the running one that Variable names, else one of
// our own.
var server = sync.OnceValues(func() (*instance, error) {
	if running := os.Getenv(Variable); running != "" {
		address, err := url.Parse(running)
		return &instance{url: address}, err
	}
	return startServer("off")
})

// durable is like server, but of our own it flushes what it commits to disk.
var durable = sync.OnceValues(func() (*instance, error) {
	if os.Getenv(Variable) != "" {
		return server()
	}
	return startServer("on")
})

// Postgres is the URL of an empty database that is removed at the end of the test. When there is no
// PostgreSQL to be had, the test fails and says what to do.
func Postgres(t testing.TB) string {
	t.Helper()
	return database(t, server)
}

// DurablePostgres is like Postgres, on a server that loses nothing when the machine fails, for
// measurements. A running one that Variable names is taken as it is.
func DurablePostgres(t testing.TB) string {
	t.Helper()
	return database(t, durable)
}

func database(t testing.TB, server func() (*instance, error)) string {
	t.Helper()
	running, err := server()
	if err != nil {
		t.Fatalf("these tests need PostgreSQL: %v\n"+
			"Install it (Debian: apt-get install postgresql) or set %s=postgres://user@host/postgres to a running one whose user may create databases.", err, Variable)
	}
	name := "mergegate_" + strings.ToLower(rand.Text())
	execute(t, running.url, "CREATE DATABASE "+name)
	t.Cleanup(func() { execute(t, running.url, "DROP DATABASE "+name+" WITH (FORCE)") })
	database := *running.url
	database.Path = "/" + name
	return database.String()
}

func execute(t testing.TB, server *url.URL, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := executeOn(ctx, server, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func executeOn(ctx context.Context, server *url.URL, sql string) error {
	conn, err := pgx.Connect(ctx, server.String())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx) // the connection is of no more use, whatever it says
	_, err = conn.Exec(ctx, sql)
	return err
}
