package store

import (
	"context"
	"fmt"
	"time"
)

// Setting is a value that mergegate keeps for itself, or ErrNotFound.
func (q Queries) Setting(ctx context.Context, key string) ([]byte, error) {
	v, err := first(ctx, q.db.query, stmt(`SELECT value FROM settings WHERE key = $1`, key), value[[]byte])
	if err != nil {
		return nil, fmt.Errorf("read setting %s: %w", key, err)
	}
	return v, nil
}

// SetSetting sets a value.
func (q Queries) SetSetting(ctx context.Context, key string, value []byte) error {
	_, err := q.db.exec(ctx, stmt(`INSERT INTO settings (key, value, updated_at) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`, key, nonNil(value), q.micros()))
	if err != nil {
		return fmt.Errorf("set setting %s: %w", key, err)
	}
	return nil
}

// EnsureSetting is a value that is set once: the one that is there, else the given one. It is how
// replicas agree on a key that one of them generates.
func (q Queries) EnsureSetting(ctx context.Context, key string, value []byte) ([]byte, error) {
	_, err := q.db.exec(ctx, stmt(`INSERT INTO settings (key, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING`,
		key, nonNil(value), q.micros()))
	if err != nil {
		return nil, fmt.Errorf("set setting %s: %w", key, err)
	}
	return q.Setting(ctx, key)
}

// Due tells whether something that happens at an interval is due, and if so counts from now on:
// of all replicas one is told so per interval.
func (q Queries) Due(ctx context.Context, key string, every time.Duration) (bool, error) {
	changed, err := q.db.exec(ctx, stmt(`INSERT INTO settings (key, value, updated_at) VALUES ($1, $2, {now})
		ON CONFLICT (key) DO UPDATE SET updated_at = {now} WHERE settings.updated_at + $3 <= {now}`,
		"due/"+key, []byte{}, every.Microseconds()))
	if err != nil {
		return false, fmt.Errorf("ask whether %s is due: %w", key, err)
	}
	return changed > 0, nil
}

func nonNil(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}
