package bare

import (
	"fmt"
	"strings"
)

// Refs lists every ref with the object it names.
func (r *Repo) Refs() (map[string]string, error) {
	out, err := r.Git(nil, "for-each-ref", "--format=%(objectname) %(refname)")
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for l := range strings.Lines(string(out)) {
		if id, name, ok := strings.Cut(strings.TrimSpace(l), " "); ok {
			refs[name] = id
		}
	}
	return refs, nil
}

// Commit resolves a revision to the id of a commit; ok is false when there is none.
func (r *Repo) Commit(rev string) (id string, ok bool) {
	if rev == "" || strings.HasPrefix(rev, "-") {
		return "", false
	}
	out, err := r.Git(nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	return line(out), err == nil
}

// Branch resolves a branch to its tip; ok is false when there is no such branch.
func (r *Repo) Branch(name string) (id string, ok bool) {
	return r.Commit("refs/heads/" + name)
}

// Update moves a ref from old to id as one compare-and-swap. Old "" accepts any value, Zero demands that the ref is new;
// id Zero deletes the ref.
func (r *Repo) Update(ref, id, old string) error {
	args := []string{"update-ref"}
	if id == Zero {
		args = append(args, "-d", ref)
	} else {
		args = append(args, ref, id)
	}
	if old != "" {
		args = append(args, old)
	}
	_, err := r.Git(nil, args...)
	return err
}

// Fetch copies an object and all that it reaches from another repository and points ref at it.
func (r *Repo) Fetch(from, rev, ref string) error {
	_, err := r.run(nil, []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
		"fetch", "--quiet", "--no-tags", "--no-auto-gc", "--no-write-fetch-head", from, "+"+rev+":"+ref)
	if err != nil {
		return fmt.Errorf("fetch %s from %s: %w", rev, from, err)
	}
	return nil
}

// IsAncestor tells whether old is reachable from id.
func (r *Repo) IsAncestor(old, id string) bool {
	_, err := r.Git(nil, "merge-base", "--is-ancestor", old, id)
	return err == nil
}

// MergeBase gives the best common ancestor; ok is false when the histories are unrelated.
func (r *Repo) MergeBase(a, b string) (id string, ok bool) {
	out, err := r.Git(nil, "merge-base", a, b)
	return line(out), err == nil
}
