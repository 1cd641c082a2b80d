package store

import (
	"context"
	"fmt"
	"time"
)

// Push is a branch that moved.
type Push struct {
	GUID         string // of its delivery
	RepositoryID int64
	Ref          string // refs/heads/main
	Before       string
	After        string
	ReceivedAt   time.Time // now, when zero
}

// SavePush records a push; once per delivery.
func (q Queries) SavePush(ctx context.Context, p Push) (fresh bool, err error) {
	received := micros(p.ReceivedAt)
	if received == 0 {
		received = q.micros()
	}
	changed, err := q.db.exec(ctx, stmt(`INSERT INTO pushes (guid, repository_id, ref, before_sha, after_sha, received_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (guid) DO NOTHING`, p.GUID, p.RepositoryID, p.Ref, p.Before, p.After, received))
	if err != nil {
		return false, fmt.Errorf("save push %s: %w", p.GUID, err)
	}
	return changed > 0, nil
}

// Pushes are the latest pushes to a ref, newest first.
func (q Queries) Pushes(ctx context.Context, repositoryID int64, ref string, limit int) ([]Push, error) {
	list, err := all(ctx, q.db.query, stmt(`SELECT guid, repository_id, ref, before_sha, after_sha, received_at FROM pushes
		WHERE repository_id = $1 AND ref = $2 ORDER BY received_at DESC, guid LIMIT $3`, repositoryID, ref, limit),
		func(row scanner) (p Push, err error) {
			var received int64
			err = row.Scan(&p.GUID, &p.RepositoryID, &p.Ref, &p.Before, &p.After, &received)
			p.ReceivedAt = moment(received)
			return p, err
		})
	if err != nil {
		return nil, fmt.Errorf("read pushes to %s: %w", ref, err)
	}
	return list, nil
}
