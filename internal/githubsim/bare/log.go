package bare

import (
	"fmt"
	"strings"
	"time"
)

// Commit is one commit as GitHub describes it.
type Commit struct {
	ID        string
	Tree      string
	Parents   []string
	Author    Signature
	Committer Signature
	Message   string
}

// Signature says who made a commit and when.
type Signature struct {
	Name  string
	Email string
	When  time.Time
}

const logFormat = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00%x01"

// Log lists commits newest first; args are revisions and options of git log, such as "base..head" or "-n1".
func (r *Repo) Log(args ...string) ([]Commit, error) {
	out, err := r.Git(nil, append([]string{"log", "--no-color", "--format=" + logFormat}, args...)...)
	if err != nil {
		return nil, err
	}
	var commits []Commit
	for record := range strings.SplitSeq(string(out), "\x00\x01\n") {
		if record == "" {
			continue
		}
		c, err := parseCommit(strings.TrimSuffix(record, "\x00\x01"))
		if err != nil {
			return nil, err
		}
		commits = append(commits, c)
	}
	return commits, nil
}

// Show reads one commit.
func (r *Repo) Show(id string) (Commit, error) {
	commits, err := r.Log("-n1", id)
	if err != nil {
		return Commit{}, err
	}
	if len(commits) != 1 {
		return Commit{}, fmt.Errorf("read commit %s: not found", id)
	}
	return commits[0], nil
}

func parseCommit(record string) (Commit, error) {
	f := strings.Split(record, "\x00")
	if len(f) != 10 {
		return Commit{}, fmt.Errorf("parse git log: %d fields in a record, want 10", len(f))
	}
	author, err := time.Parse(time.RFC3339, f[5])
	if err != nil {
		return Commit{}, fmt.Errorf("parse author date of %s: %w", f[0], err)
	}
	committer, err := time.Parse(time.RFC3339, f[8])
	if err != nil {
		return Commit{}, fmt.Errorf("parse committer date of %s: %w", f[0], err)
	}
	return Commit{
		ID: f[0], Tree: f[1], Parents: strings.Fields(f[2]),
		Author:    Signature{Name: f[3], Email: f[4], When: author},
		Committer: Signature{Name: f[6], Email: f[7], When: committer},
		Message:   strings.TrimRight(f[9], "\n"),
	}, nil
}

// Count tells how many commits the arguments of git rev-list select.
func (r *Repo) Count(args ...string) (int, error) {
	out, err := r.Git(nil, append([]string{"rev-list", "--count"}, args...)...)
	if err != nil {
		return 0, err
	}
	var n int
	if _, err := fmt.Sscan(line(out), &n); err != nil {
		return 0, fmt.Errorf("parse commit count %q: %w", out, err)
	}
	return n, nil
}
