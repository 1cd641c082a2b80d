package bare

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Edit is a change to a tree: files to write by path, and paths to remove.
type Edit struct {
	Write  map[string]string
	Remove []string
}

// CommitSpec says what a new commit holds.
type CommitSpec struct {
	Tree      string
	Parents   []string
	Message   string
	Author    Signature
	Committer Signature
}

// EditTree applies an edit to the tree of a commit ("" for an empty tree) and returns the new tree.
func (r *Repo) EditTree(parent string, edit Edit) (string, error) {
	dir, err := os.MkdirTemp("", "githubsim-index")
	if err != nil {
		return "", fmt.Errorf("make directory for an index: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover index in the temporary directory harms nobody
	env := []string{"GIT_INDEX_FILE=" + filepath.Join(dir, "index")}
	if parent != "" {
		if _, err := r.run(nil, env, "read-tree", parent); err != nil {
			return "", err
		}
	}
	info, err := r.indexInfo(edit)
	if err != nil {
		return "", err
	}
	if _, err := r.run(info, env, "update-index", "-z", "--index-info"); err != nil {
		return "", err
	}
	out, err := r.run(nil, env, "write-tree")
	return line(out), err
}

func (r *Repo) indexInfo(edit Edit) ([]byte, error) {
	paths := make([]string, 0, len(edit.Write))
	for path := range edit.Write {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	var info strings.Builder
	for _, path := range edit.Remove {
		fmt.Fprintf(&info, "0 %s\t%s\x00", Zero, path)
	}
	ids, err := r.writeBlobs(paths, edit.Write)
	if err != nil {
		return nil, err
	}
	for i, path := range paths {
		fmt.Fprintf(&info, "100644 %s\t%s\x00", ids[i], path)
	}
	return []byte(info.String()), nil
}

// writeBlobs stores all contents with one git process, so that a pull request of thousands of files stays cheap.
func (r *Repo) writeBlobs(paths []string, content map[string]string) ([]string, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	dir, err := os.MkdirTemp("", "githubsim-blobs")
	if err != nil {
		return nil, fmt.Errorf("make directory for blobs: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // leftovers in the temporary directory harm nobody
	var names strings.Builder
	for i, path := range paths {
		name := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(name, []byte(content[path]), 0o600); err != nil {
			return nil, fmt.Errorf("write blob of %s: %w", path, err)
		}
		fmt.Fprintln(&names, name)
	}
	out, err := r.Git([]byte(names.String()), "hash-object", "-w", "--no-filters", "--stdin-paths")
	if err != nil {
		return nil, err
	}
	ids := strings.Fields(string(out))
	if len(ids) != len(paths) {
		return nil, fmt.Errorf("write blobs: git stored %d of %d", len(ids), len(paths))
	}
	return ids, nil
}

// WriteCommit makes a commit object; no ref moves.
func (r *Repo) WriteCommit(spec CommitSpec) (string, error) {
	args := []string{"commit-tree", spec.Tree}
	for _, p := range spec.Parents {
		args = append(args, "-p", p)
	}
	env := append(signatureEnv("AUTHOR", spec.Author), signatureEnv("COMMITTER", spec.Committer)...)
	out, err := r.run([]byte(spec.Message), env, args...)
	return line(out), err
}

func signatureEnv(role string, s Signature) []string {
	return []string{
		"GIT_" + role + "_NAME=" + s.Name,
		"GIT_" + role + "_EMAIL=" + s.Email,
		"GIT_" + role + "_DATE=" + s.When.Format(time.RFC3339),
	}
}

// ErrConflict is a merge that needs a person.
var ErrConflict = errors.New("merge conflict")

// Merge merges head into base and returns the resulting tree, or ErrConflict with the paths.
func (r *Repo) Merge(base, head string) (string, error) {
	out, err := r.Git(nil, "merge-tree", "--write-tree", "-z", "--no-messages", "--name-only", base, head)
	return mergedTree(out, err)
}

func mergedTree(out []byte, err error) (string, error) {
	f := fields(out)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 && len(f) > 0 {
		return "", fmt.Errorf("%w in %s", ErrConflict, strings.Join(f[1:], ", "))
	}
	if err != nil {
		return "", err
	}
	return f[0], nil
}

// Rebase replays the commits of base..head that are not merges onto onto, and returns the new tip.
func (r *Repo) Rebase(onto, head string, committer Signature) (string, error) {
	commits, err := r.Log("--reverse", "--no-merges", "--topo-order", onto+".."+head)
	if err != nil {
		return "", err
	}
	tip := onto
	for _, c := range commits {
		tip, err = r.pick(tip, c, committer)
		if err != nil {
			return "", err
		}
	}
	return tip, nil
}

// pick applies one commit on a tip. git 2.39 has no merge-tree --merge-base, so that the parent is made a common
// ancestor by giving both sides a parentless stand-in of the old parent's tree.
func (r *Repo) pick(tip string, c Commit, committer Signature) (string, error) {
	if len(c.Parents) == 0 {
		return "", fmt.Errorf("rebase %s: a root commit cannot be replayed", c.ID)
	}
	root, err := r.stand(c.Parents[0], nil, committer)
	if err != nil {
		return "", err
	}
	ours, err := r.stand(tip, []string{root}, committer)
	if err != nil {
		return "", err
	}
	theirs, err := r.stand(c.ID, []string{root}, committer)
	if err != nil {
		return "", err
	}
	tree, err := r.Merge(ours, theirs)
	if err != nil {
		return "", fmt.Errorf("rebase %s: %w", c.ID, err)
	}
	return r.WriteCommit(CommitSpec{Tree: tree, Parents: []string{tip}, Message: c.Message, Author: c.Author, Committer: committer})
}

func (r *Repo) stand(rev string, parents []string, by Signature) (string, error) {
	return r.WriteCommit(CommitSpec{Tree: rev + "^{tree}", Parents: parents, Message: "stand-in", Author: by, Committer: by})
}
