package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// ErrLeaseLost says that what somebody held is held by another, or by nobody.
var ErrLeaseLost = errors.New("lease lost")

// Lease is the sole right to something until a time; all replicas agree on who has it.
type Lease struct {
	Key   string
	Owner string
	fence int64 // random, of this one acquisition
}

// Acquire takes the lease on a key for ttl, or tells that another one, or the same owner, has it.
func (q Queries) Acquire(ctx context.Context, key, owner string, ttl time.Duration) (l Lease, ok bool, err error) {
	var random [8]byte
	rand.Read(random[:]) // never fails
	l = Lease{Key: key, Owner: owner, fence: int64(binary.BigEndian.Uint64(random[:]) >> 1)}
	changed, err := q.db.exec(ctx, stmt(`INSERT INTO leases (key, owner, fence, until_at) VALUES ($1, $2, $3, {now} + $4)
		ON CONFLICT (key) DO UPDATE SET owner = excluded.owner, fence = excluded.fence, until_at = excluded.until_at
		WHERE leases.until_at <= {now}`, key, owner, l.fence, ttl.Microseconds()))
	if err != nil {
		return Lease{}, false, fmt.Errorf("acquire lease %s: %w", key, err)
	}
	return l, changed > 0, nil
}

// Renew extends a lease to ttl from now, or says ErrLeaseLost.
func (q Queries) Renew(ctx context.Context, l Lease, ttl time.Duration) error {
	changed, err := q.db.exec(ctx, stmt(`UPDATE leases SET until_at = {now} + $3 WHERE key = $1 AND fence = $2`, l.Key, l.fence, ttl.Microseconds()))
	if err == nil && changed == 0 {
		err = ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("renew lease %s: %w", l.Key, err)
	}
	return nil
}

// Release gives a lease back, or says ErrLeaseLost.
func (q Queries) Release(ctx context.Context, l Lease) error {
	changed, err := q.db.exec(ctx, stmt(`DELETE FROM leases WHERE key = $1 AND fence = $2`, l.Key, l.fence))
	if err == nil && changed == 0 {
		err = ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("release lease %s: %w", l.Key, err)
	}
	return nil
}

// expireAll ends every lease: on SQLite whoever had one was another process, and it is gone.
func (s *Store) expireAll(ctx context.Context) error {
	return s.Update(ctx, func(ctx context.Context, tx *Tx) error {
		if _, err := tx.db.exec(ctx, stmt(`DELETE FROM leases`)); err != nil {
			return fmt.Errorf("expire leases: %w", err)
		}
		if _, err := tx.db.exec(ctx, stmt(`UPDATE work SET until_at = 0 WHERE state = 'running'`)); err != nil {
			return fmt.Errorf("expire work: %w", err)
		}
		return nil
	})
}
