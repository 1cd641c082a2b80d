package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mergegate/mergegate/internal/pull"
)

// Pull is a pull request as it was last seen, with what mergegate remembers of it.
type Pull struct {
	pull.Request
	UpdatedAt   time.Time // when it was last seen
	Generation  int       // how often somebody asked to plan it again
	CommentID   int64     // our comment, 0: none yet
	CommentHash string    // of the comment's text as it was last written
}

// SavePull records a pull request as it is now; what mergegate remembers of it stays. Its
// repository must be saved before.
func (q Queries) SavePull(ctx context.Context, r pull.Request) error {
	labels, err := json.Marshal(r.Labels)
	if err != nil {
		return err
	}
	_, err = q.db.exec(ctx, stmt(`INSERT INTO pulls (repository_id, number, title, author_id, author_login, author_bot, state, draft,
			base_ref, base_sha, head_ref, head_sha, fork, labels, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (repository_id, number) DO UPDATE SET title = excluded.title, author_id = excluded.author_id,
			author_login = excluded.author_login, author_bot = excluded.author_bot, state = excluded.state, draft = excluded.draft,
			base_ref = excluded.base_ref, base_sha = excluded.base_sha, head_ref = excluded.head_ref, head_sha = excluded.head_sha,
			fork = excluded.fork, labels = excluded.labels, updated_at = excluded.updated_at`,
		r.Repository.ID, r.Number, r.Title, r.Author.ID, r.Author.Login, r.Author.Bot, r.State, r.Draft,
		r.BaseRef, r.BaseSHA, r.HeadRef, r.HeadSHA, r.Fork, string(labels), q.micros()))
	if err != nil {
		return fmt.Errorf("save pull request %d/%d: %w", r.Repository.ID, r.Number, err)
	}
	return nil
}

const selectPulls = `SELECT ` + repositoryColumns + `, p.number, p.title, p.author_id, p.author_login, p.author_bot, p.state, p.draft,
	p.base_ref, p.base_sha, p.head_ref, p.head_sha, p.fork, p.labels, p.updated_at, p.generation, p.comment_id, p.comment_hash
	FROM pulls p JOIN repositories r ON r.id = p.repository_id `

func scanPull(row scanner) (Pull, error) {
	var p Pull
	var labels string
	var updated int64
	err := row.Scan(&p.Repository.ID, &p.Repository.InstallationID, &p.Repository.Owner, &p.Repository.Name,
		&p.Repository.DefaultBranch, &p.Repository.CloneURL, &p.Number, &p.Title, &p.Author.ID, &p.Author.Login,
		&p.Author.Bot, &p.State, &p.Draft, &p.BaseRef, &p.BaseSHA, &p.HeadRef, &p.HeadSHA, &p.Fork, &labels, &updated,
		&p.Generation, &p.CommentID, &p.CommentHash)
	if err != nil {
		return p, err
	}
	p.UpdatedAt = moment(updated)
	return p, json.Unmarshal([]byte(labels), &p.Labels)
}

// Pull is one pull request, or ErrNotFound.
func (q Queries) Pull(ctx context.Context, repositoryID int64, number int) (Pull, error) {
	p, err := first(ctx, q.db.query, stmt(selectPulls+`WHERE p.repository_id = $1 AND p.number = $2`, repositoryID, number), scanPull)
	if err != nil {
		return p, fmt.Errorf("read pull request %d/%d: %w", repositoryID, number, err)
	}
	return p, nil
}

// OpenPulls are the open pull requests of a repository into a branch (any: ""), by number.
func (q Queries) OpenPulls(ctx context.Context, repositoryID int64, baseRef string) ([]Pull, error) {
	list, err := all(ctx, q.db.query, stmt(selectPulls+`WHERE p.repository_id = $1 AND p.state = 'open' AND (p.base_ref = $2 OR $2 = '')
		ORDER BY p.number`, repositoryID, baseRef), scanPull)
	if err != nil {
		return nil, fmt.Errorf("read open pull requests of repository %d: %w", repositoryID, err)
	}
	return list, nil
}

// PullsByHead are the open pull requests of a repository whose head is a commit, by number.
func (q Queries) PullsByHead(ctx context.Context, repositoryID int64, sha string) ([]Pull, error) {
	list, err := all(ctx, q.db.query, stmt(selectPulls+`WHERE p.repository_id = $1 AND p.head_sha = $2 AND p.state = 'open'
		ORDER BY p.number`, repositoryID, sha), scanPull)
	if err != nil {
		return nil, fmt.Errorf("read pull requests at %s: %w", sha, err)
	}
	return list, nil
}

// BumpGeneration records that somebody asks to plan a pull request again, and returns its new
// generation.
func (q Queries) BumpGeneration(ctx context.Context, repositoryID int64, number int) (int, error) {
	generation, err := first(ctx, q.db.mutate, stmt(`UPDATE pulls SET generation = generation + 1
		WHERE repository_id = $1 AND number = $2 RETURNING generation`, repositoryID, number), value[int])
	if err != nil {
		return 0, fmt.Errorf("bump generation of pull request %d/%d: %w", repositoryID, number, err)
	}
	return generation, nil
}

// SetComment records the comment on a pull request and the hash of its text.
func (q Queries) SetComment(ctx context.Context, p Pull) error {
	changed, err := q.db.exec(ctx, stmt(`UPDATE pulls SET comment_id = $3, comment_hash = $4 WHERE repository_id = $1 AND number = $2`,
		p.Repository.ID, p.Number, p.CommentID, p.CommentHash))
	if err == nil && changed == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("set comment of pull request %d/%d: %w", p.Repository.ID, p.Number, err)
	}
	return nil
}

// Note is something that a pull request's comment has to say beside the plan: what became of a
// request of somebody.
type Note struct {
	Key       string // of the request, such as the id of the comment that made it; one note each
	Author    string
	Body      string
	CreatedAt time.Time // now, when zero
}

// AddNote records a note; a second one of the same key changes nothing and is not fresh.
func (q Queries) AddNote(ctx context.Context, repositoryID int64, number int, note Note) (fresh bool, err error) {
	created := micros(note.CreatedAt)
	if created == 0 {
		created = q.micros()
	}
	changed, err := q.db.exec(ctx, stmt(`INSERT INTO notes (repository_id, number, key, author, body, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, repositoryID, number, note.Key, note.Author, note.Body, created))
	if err != nil {
		return false, fmt.Errorf("add note to pull request %d/%d: %w", repositoryID, number, err)
	}
	return changed > 0, nil
}

// Notes are the latest notes of a pull request, oldest first.
func (q Queries) Notes(ctx context.Context, repositoryID int64, number, limit int) ([]Note, error) {
	list, err := all(ctx, q.db.query, stmt(`SELECT key, author, body, created_at FROM (
			SELECT key, author, body, created_at FROM notes WHERE repository_id = $1 AND number = $2
			ORDER BY created_at DESC, key DESC LIMIT $3) AS latest
		ORDER BY created_at, key`, repositoryID, number, limit), func(row scanner) (n Note, err error) {
		var created int64
		err = row.Scan(&n.Key, &n.Author, &n.Body, &created)
		n.CreatedAt = moment(created)
		return n, err
	})
	if err != nil {
		return nil, fmt.Errorf("read notes of pull request %d/%d: %w", repositoryID, number, err)
	}
	return list, nil
}
