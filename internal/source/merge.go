package source

import (
	"context"
	"fmt"
	"strings"
)

// ConflictError says that head does not merge into base.
type ConflictError struct {
	Base, Head string
	Files      []string // the conflicting files, sorted
}

func (e *ConflictError) Error() string {
	files := e.Files
	more := ""
	if len(files) > 10 {
		files, more = files[:10], fmt.Sprintf(" and %d more", len(e.Files)-10)
	}
	return fmt.Sprintf("merge %s into %s: conflict in %s%s: bring the base branch into the head branch and resolve it there",
		short(e.Head), short(e.Base), strings.Join(files, ", "), more)
}

// Merge merges head into base as GitHub would and returns the SHA of the resulting tree, which is
// head's own tree where head already contains base. A conflict is a [*ConflictError].
func (r *Repository) Merge(ctx context.Context, base, head string) (string, error) {
	if _, err := r.git(ctx, "merge-base", "--is-ancestor", base, head); err == nil {
		return r.TreeID(ctx, head)
	} else if !isExit(err, 1) {
		return "", fmt.Errorf("merge %s into %s: %w", short(head), short(base), err)
	}
	if _, err := r.MergeBase(ctx, base, head); err != nil {
		return "", err
	}
	out, err := r.git(ctx, "merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", base, head)
	if err != nil && !isExit(err, 1) {
		return "", fmt.Errorf("merge %s into %s: %w", short(head), short(base), err)
	}
	fields := splitZero(out)
	if len(fields) == 0 {
		return "", fmt.Errorf("merge %s into %s: git merge-tree gave no tree", short(head), short(base))
	}
	if err != nil {
		return "", &ConflictError{Base: base, Head: head, Files: fields[1:]}
	}
	return fields[0], nil
}

// short is a SHA for people.
func short(sha string) string {
	return sha[:min(len(sha), 12)]
}
