package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the schema to this program's version. Replicas that start together do it one
// after the other.
func (s *Store) migrate(ctx context.Context) error {
	return s.Exclusively(ctx, func(ctx context.Context) error {
		if _, err := s.db.exec(ctx, stmt(`CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY)`)); err != nil {
			return fmt.Errorf("migrate database: %w", err)
		}
		applied, err := first(ctx, s.db.query, stmt(`SELECT COALESCE(MAX(version), 0) FROM migrations`), value[int])
		if err != nil {
			return fmt.Errorf("migrate database: read version: %w", err)
		}
		return s.migrateFrom(ctx, applied)
	})
}

func (s *Store) migrateFrom(ctx context.Context, applied int) error {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	if applied > len(names) {
		return fmt.Errorf("migrate database: its schema has version %d, this program knows %d: use the newer program", applied, len(names))
	}
	for i, name := range names {
		version, err := strconv.Atoi(strings.TrimPrefix(name, "migrations/")[:4])
		if err != nil || version != i+1 {
			return fmt.Errorf("migrate database: %s is not number %d", name, i+1)
		}
		if version <= applied {
			continue
		}
		script, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if err := s.backend.migrate(ctx, version, string(script)); err != nil {
			return fmt.Errorf("migrate database: %s: %w", name, err)
		}
	}
	return nil
}
