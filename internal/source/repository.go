// Package source reads git: revisions, the merge of a head into its base, and a commit's tree as a
// read-only file system. It runs the git command and nothing else.
//
// Nothing is ever checked out. Objects that a merge creates go to a directory of their own, so that
// a user's repository is only read. No hook, filter, textconv or submodule is run or followed.
// The package knows nothing of what the files mean.
package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoRevision is wrapped by errors about a revision that the repository does not have.
var ErrNoRevision = errors.New("no such revision")

// ErrUnrelated says that two commits have no common ancestor, as far as the repository knows.
var ErrUnrelated = errors.New("the two have no common history")

// ErrTooLarge says that a tree or a difference is larger than anything that is meant to be planned.
var ErrTooLarge = errors.New("the tree is too large to be read")

// Repository is a git repository that is only read. Its methods may be called concurrently.
type Repository struct {
	dir     string // the git directory
	scratch string // receives the objects that a merge makes
	env     []string
	blobs   *blobs
}

// Open opens the repository at dir: a work tree, any directory in one, or a bare repository.
// Close frees what it holds.
func Open(ctx context.Context, dir string) (*Repository, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open repository %s: %w", dir, err)
	}
	out, err := run(ctx, command{dir: abs, env: baseEnv(), args: []string{"rev-parse", "--absolute-git-dir", "--git-path", "objects"}})
	if err != nil {
		return nil, fmt.Errorf("open repository %s: %w", dir, err)
	}
	gitDir, objects, _ := strings.Cut(strings.TrimSuffix(string(out), "\n"), "\n")
	if !filepath.IsAbs(objects) {
		objects = filepath.Join(abs, objects)
	}
	scratch, err := os.MkdirTemp("", "mergegate-objects-")
	if err != nil {
		return nil, fmt.Errorf("open repository %s: %w", dir, err)
	}
	env := append(baseEnv(), "GIT_OBJECT_DIRECTORY="+scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+objects)
	r := &Repository{dir: gitDir, scratch: scratch, env: env}
	r.blobs = newBlobs(gitDir, env)
	return r, nil
}

// Close ends the processes that read objects and removes what merges made.
func (r *Repository) Close() error {
	return errors.Join(r.blobs.close(), os.RemoveAll(r.scratch))
}

// Commit resolves a revision to the full SHA of its commit. The error wraps [ErrNoRevision] when
// there is none.
func (r *Repository) Commit(ctx context.Context, revision string) (string, error) {
	if revision == "" || strings.HasPrefix(revision, "-") {
		return "", fmt.Errorf("resolve revision %q: %w", revision, ErrNoRevision)
	}
	out, err := r.git(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	if err != nil {
		if isExit(err, 1) || isExit(err, 128) {
			return "", fmt.Errorf("resolve revision %q: %w in %s", revision, ErrNoRevision, filepath.Base(r.dir))
		}
		return "", fmt.Errorf("resolve revision %q: %w", revision, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// TreeID is the SHA of a commit's tree.
func (r *Repository) TreeID(ctx context.Context, commit string) (string, error) {
	out, err := r.git(ctx, "rev-parse", "--verify", "--end-of-options", commit+"^{tree}")
	if err != nil {
		return "", fmt.Errorf("read tree of %s: %w", commit, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// MergeBase is the best common ancestor of two commits.
func (r *Repository) MergeBase(ctx context.Context, a, b string) (string, error) {
	out, err := r.git(ctx, "merge-base", a, b)
	if isExit(err, 1) {
		return "", fmt.Errorf("merge base of %s and %s: %w (a shallow clone? fetch more of it: git fetch --unshallow)", short(a), short(b), ErrUnrelated)
	}
	if err != nil {
		return "", fmt.Errorf("merge base of %s and %s: %w", a, b, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// DefaultBranch is the revision of origin's default branch, origin/main or the like.
func (r *Repository) DefaultBranch(ctx context.Context) (string, error) {
	out, err := r.git(ctx, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
	if err == nil {
		return strings.TrimSpace(string(out)), nil
	}
	for _, name := range []string{"refs/remotes/origin/main", "refs/remotes/origin/master"} {
		if _, err := r.Commit(ctx, name); err == nil {
			return name, nil
		}
	}
	return "", errors.New("origin's default branch is not known in this repository: name the base with --base")
}

// Changed lists the paths that differ between two trees or commits, sorted. A renamed file is two paths.
func (r *Repository) Changed(ctx context.Context, from, to string) ([]string, error) {
	out, err := r.git(ctx, "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--end-of-options", from, to)
	if err != nil {
		return nil, fmt.Errorf("list changes from %s to %s: %w", from, to, err)
	}
	return splitZero(out), nil
}

func splitZero(out []byte) []string {
	text := strings.TrimSuffix(string(out), "\x00")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}

func (r *Repository) git(ctx context.Context, args ...string) ([]byte, error) {
	return run(ctx, command{dir: r.dir, env: r.env, args: args})
}

// command is one run of git.
type command struct {
	dir   string
	env   []string
	args  []string
	stdin []byte
}

// run runs git and returns its standard output. An error carries what git said, bounded.
func run(ctx context.Context, c command) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append(hardening(), c.args...)...)
	cmd.Dir, cmd.Env = c.dir, c.env
	cmd.Stdin = bytes.NewReader(c.stdin)
	stdout, stderr := bounded{most: maxOutput}, bounded{most: 64 << 10, cut: true}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if stdout.over {
			return nil, fmt.Errorf("git %s: %w", verb(c.args), ErrTooLarge)
		}
		if ctx.Err() != nil {
			return stdout.text.Bytes(), fmt.Errorf("git %s: %w", verb(c.args), context.Cause(ctx))
		}
		return stdout.text.Bytes(), &gitError{verb: verb(c.args), stderr: firstLines(stderr.text.String()), err: err}
	}
	return stdout.text.Bytes(), nil
}

// maxOutput bounds, in bytes, what one git command may say: a tree can be made to unfold without end.
const maxOutput = 256 << 20

// bounded is a buffer that takes so much and no more: the rest is an error, or cut off.
type bounded struct {
	text bytes.Buffer
	most int
	cut  bool
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) <= b.most {
		return b.text.Write(p)
	}
	if b.over = true; b.cut {
		return len(p), nil
	}
	return 0, ErrTooLarge
}

// gitError is a git command that failed.
type gitError struct {
	verb, stderr string
	err          error
}

func (e *gitError) Error() string {
	if e.stderr == "" {
		return fmt.Sprintf("git %s: %v", e.verb, e.err)
	}
	return fmt.Sprintf("git %s: %s", e.verb, e.stderr)
}

func (e *gitError) Unwrap() error { return e.err }

func isExit(err error, code int) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == code
}

// firstLines keeps what a person needs of what git says: 5 lines, without git's own prefixes.
func firstLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	lines = lines[:min(len(lines), 5)]
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(strings.TrimPrefix(line, "fatal: "), "error: ")
	}
	return strings.Join(lines, "; ")
}

// baseEnv is the environment of every git command: nothing of the caller's but PATH, and no
// configuration of the machine or of the user.
func baseEnv() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=/nonexistent",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1",
	}
}

// hardening is given to every git command. safe.directory: a repository of another owner, as CI
// systems check out, is only read.
func hardening() []string {
	return []string{
		"-c", "safe.directory=*", "-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false",
		"-c", "core.quotePath=false", "-c", "submodule.recurse=false", "-c", "gc.auto=0", "-c", "core.attributesFile=" + os.DevNull,
	}
}

// verb is the git subcommand among arguments that may begin with -c options.
func verb(args []string) string {
	for len(args) > 2 && args[0] == "-c" {
		args = args[2:]
	}
	return args[0]
}
