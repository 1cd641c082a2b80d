package gate

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/report"
	"github.com/mergegate/mergegate/internal/store"
)

// marker tells our comment from every other one, with the author and the App, which nobody can forge.
const marker = "pull"

// publishComment brings the pull request's one comment up to a published or planned evaluation.
func (g *Gate) publishComment(ctx context.Context, t target) error {
	if t.ShownBy != 0 {
		shown, err := g.Store.Evaluation(ctx, t.ShownBy)
		if err != nil {
			return err
		}
		t.Evaluation = shown
	}
	if t.Number == 0 {
		return nil // a merge group has no place for a comment
	}
	p, err := g.storedPlan(ctx, t.ID)
	if err != nil {
		return err
	}
	options, err := g.commentOptions(ctx, t)
	if err != nil {
		return err
	}
	return g.writeComment(ctx, t, report.Comment(p, options))
}

// failureComment says that there is no plan, and that it is our fault. While a plan is made, the
// checks say so: a comment would be news to everybody for nothing.
func (g *Gate) failureComment(ctx context.Context, t target, state report.Pending) error {
	if t.Number == 0 {
		return nil
	}
	options, err := g.commentOptions(ctx, t)
	if err != nil {
		return err
	}
	return g.writeComment(ctx, t, report.PendingComment(state, options))
}

// noted is how many of the latest notes a comment may show.
const noted = 5

func (g *Gate) commentOptions(ctx context.Context, t target) (report.CommentOptions, error) {
	options := report.CommentOptions{
		Marker: marker, BaseName: t.BaseRef, DetailsURL: g.detailsURL(t.Evaluation), BlobURL: blobURL(t.repo, t.HeadSHA),
	}
	notes, err := g.Store.Notes(ctx, t.RepositoryID, t.Number, noted)
	if err != nil {
		return options, err
	}
	for _, note := range notes {
		if note.CreatedAt.Before(t.CreatedAt) && !strings.HasPrefix(note.Key, answerNote) {
			continue // it was about an earlier plan
		}
		if strings.HasPrefix(note.Key, answerNote) {
			options.Answer = note.Body // of ours, in Markdown
		} else {
			options.Notices = append(options.Notices, note.Body)
		}
	}
	return options, nil
}

// writeComment makes the comment, or edits it when its text is another one.
func (g *Gate) writeComment(ctx context.Context, t target, body string) error {
	known, err := g.Store.Pull(ctx, t.RepositoryID, t.Number)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(body))
	hash := hex.EncodeToString(sum[:])
	if known.CommentID != 0 && known.CommentHash == hash {
		return nil
	}
	if err := g.may(ctx, t); err != nil {
		return err
	}
	update := func(id int64) error {
		_, err := g.client(t.repo).UpdateComment(ctx, t.repo, id, body)
		return err
	}
	err = github.ErrNotFound
	if known.CommentID != 0 {
		err = update(known.CommentID)
	}
	if errors.Is(err, github.ErrNotFound) { // none yet, or somebody deleted it
		var written bool
		if known.CommentID, written, err = g.createComment(ctx, t, known.CommentID, body); err == nil && !written {
			err = update(known.CommentID)
		}
	}
	if err != nil {
		return err
	}
	known.CommentHash = hash
	return g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error { return tx.SetComment(ctx, known) })
}

// createComment makes the comment that comes after the one with the id before, once. One that is
// there already, made by a run that did not live to record it or before our records began, is
// adopted; what it says is then not written.
func (g *Gate) createComment(ctx context.Context, t target, before int64, body string) (id int64, written bool, err error) {
	client := g.client(t.repo)
	find := func() (string, bool, error) {
		found, ok, err := client.FindComment(ctx, t.repo, t.Number, report.MarkerLine(marker))
		return strconv.FormatInt(found.ID, 10), ok, err
	}
	key := fmt.Sprintf("comment/%d/%d/%d", t.RepositoryID, t.Number, before)
	result, err := g.once(ctx, t, effect{key, find, func() (string, error) {
		if id, ok, err := find(); ok || err != nil {
			return id, err
		}
		made, err := client.CreateComment(ctx, t.repo, t.Number, body)
		written = err == nil
		return strconv.FormatInt(made.ID, 10), err
	}})
	if err != nil {
		return 0, false, err
	}
	if id, err = strconv.ParseInt(result, 10, 64); err != nil {
		return 0, false, fmt.Errorf("read journal of comment on pull request %d: %w", t.Number, err)
	}
	return id, written, nil
}
