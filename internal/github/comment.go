package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/pull"
)

// MaxComment is how many characters a comment may have.
const MaxComment = 65536

// Comment is a comment on a pull request.
type Comment struct {
	ID     int64
	Body   string
	Author pull.User // who it is shown as; others may have edited it
	AppID  int64     // the App that wrote it, or 0
}

// Reactions that acknowledge a command.
const (
	ReactionEyes     = "eyes"     // seen
	ReactionRocket   = "rocket"   // done
	ReactionConfused = "confused" // not understood, or not allowed
)

// Comment reads a comment as it is now.
func (c *Client) Comment(ctx context.Context, repo pull.Repository, id int64) (Comment, error) {
	if err := checkRepository(repo); err != nil {
		return Comment{}, err
	}
	found, err := get[wireComment](ctx, c.read, commentPath(repo, id))
	return found.comment(), err
}

func commentPath(repo pull.Repository, id int64) string {
	return repoPath(repo, "issues", "comments", strconv.FormatInt(id, 10))
}

// CreateComment comments on a pull request. After an Uncertain error, FindComment tells whether it did.
func (c *Client) CreateComment(ctx context.Context, repo pull.Repository, number int, body string) (Comment, error) {
	path := repoPath(repo, "issues", strconv.Itoa(number), "comments")
	return c.writeComment(ctx, repo, call{method: http.MethodPost, path: path}, body)
}

// UpdateComment replaces a comment's text. A comment that somebody deleted is ErrNotFound.
func (c *Client) UpdateComment(ctx context.Context, repo pull.Repository, id int64, body string) (Comment, error) {
	return c.writeComment(ctx, repo, call{method: http.MethodPatch, path: commentPath(repo, id), repeatable: true}, body)
}

func (c *Client) writeComment(ctx context.Context, repo pull.Repository, to call, body string) (Comment, error) {
	if err := checkRepository(repo); err != nil {
		return Comment{}, err
	}
	if n := utf8.RuneCountInString(body); n > MaxComment || n == 0 {
		return Comment{}, fmt.Errorf("%s: comment of %d characters: want 1 to %d", to, n, MaxComment)
	}
	to.body = &github.IssueComment{Body: &body}
	found, err := exchange[wireComment](ctx, c.discuss, to)
	if err == nil && found.ID == 0 {
		return Comment{}, &Uncertain{Op: to.String(), Err: &PayloadError{What: to.String(), Err: errNoID}}
	}
	return found.comment(), err
}

// FindComment gives this App's first comment on a pull request that contains marker, and whether there is one. Anybody
// can write the marker, so the author and the App that GitHub names must be ours too.
func (c *Client) FindComment(ctx context.Context, repo pull.Repository, number int, marker string) (Comment, bool, error) {
	if err := checkRepository(repo); err != nil {
		return Comment{}, false, err
	}
	self, err := c.app.Identity(ctx)
	if err != nil {
		return Comment{}, false, err
	}
	found, err := list[wireComment](ctx, c.read, repoPath(repo, "issues", strconv.Itoa(number), "comments")+"?per_page=100", "")
	if err != nil {
		return Comment{}, false, err
	}
	slices.SortFunc(found, func(a, b wireComment) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	for i := range found {
		if comment := found[i].comment(); self.wrote(comment) && strings.Contains(comment.Body, marker) {
			return comment, true, nil
		}
	}
	return Comment{}, false, nil
}

// wrote is whether the App wrote a comment. No account of a person can have a login that ends in [bot].
func (i Identity) wrote(c Comment) bool {
	return c.AppID == i.ID && c.Author.Bot && strings.EqualFold(c.Author.Login, i.Login)
}

// React adds a reaction to a comment; adding it again changes nothing.
func (c *Client) React(ctx context.Context, repo pull.Repository, comment int64, content string) error {
	if err := checkRepository(repo); err != nil {
		return err
	}
	_, err := c.discuss.do(ctx, call{
		method: http.MethodPost, path: commentPath(repo, comment) + "/reactions", body: &github.Reaction{Content: &content}, bare: true,
	})
	return err
}
