package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// ErrGone is wrapped by errors about a commit that the remote no longer serves: it was force-pushed
// away, or its repository was deleted.
var ErrGone = errors.New("the commit is gone")

// Mirror is a bare repository kept on disk that follows a remote one.
type Mirror struct {
	*Repository
	remote string
	fetch  sync.Mutex
}

// OpenMirror opens the mirror of the repository at remote (a URL without credentials) in dir, and
// makes an empty one where there is none.
func OpenMirror(ctx context.Context, dir, remote string) (*Mirror, error) {
	if u, err := url.Parse(remote); err != nil || u.User != nil {
		return nil, errors.New("open mirror: the remote must be a URL without credentials")
	}
	if _, err := os.Stat(filepath.Join(dir, "HEAD")); errors.Is(err, os.ErrNotExist) {
		if err := initMirror(ctx, dir); err != nil {
			return nil, err
		}
	}
	r, err := Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	return &Mirror{Repository: r, remote: remote}, nil
}

// initMirror makes the repository beside its place and moves it there, so that a crash leaves none
// that is half made.
func initMirror(ctx context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return fmt.Errorf("make mirror: %w", err)
	}
	made, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return fmt.Errorf("make mirror: %w", err)
	}
	if _, err := run(ctx, command{dir: made, env: baseEnv(), args: []string{"init", "--quiet", "--bare", "--template=", "."}}); err != nil {
		return fmt.Errorf("make mirror: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("make mirror: %w", err)
	}
	if err := os.Rename(made, dir); err != nil {
		return fmt.Errorf("make mirror: %w", err)
	}
	return nil
}

var fullSHA = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// Wanted is what a fetch should bring: a commit, and the ref that is expected to lead to it.
type Wanted struct {
	Ref string // full name: refs/heads/main, refs/pull/7/head
	SHA string // empty: whatever the ref leads to
}

// Fetch brings the wanted commits and returns the SHA of each. credential is the environment
// through which git authenticates. A commit that the ref no longer leads to is asked for by its
// SHA; where the remote has none, the error wraps [ErrGone].
func (m *Mirror) Fetch(ctx context.Context, credential []string, wanted ...Wanted) ([]string, error) {
	m.fetch.Lock()
	defer m.fetch.Unlock()
	refspecs := make([]string, len(wanted))
	for i, w := range wanted {
		if !strings.HasPrefix(w.Ref, "refs/") || (w.SHA != "" && !fullSHA.MatchString(w.SHA)) {
			return nil, fmt.Errorf("fetch %s: not a full ref and SHA", w.Ref)
		}
		refspecs[i] = "+" + w.Ref + ":" + w.Ref
	}
	if err := m.fetchRefs(ctx, credential, refspecs); err != nil && !isMissingRef(err) {
		return nil, err
	}
	shas := make([]string, len(wanted))
	for i, w := range wanted {
		sha, err := m.settle(ctx, credential, w)
		if err != nil {
			return nil, err
		}
		shas[i] = sha
	}
	return shas, nil
}

// settle makes sure that a wanted commit is here.
func (m *Mirror) settle(ctx context.Context, credential []string, w Wanted) (string, error) {
	if w.SHA == "" {
		sha, err := m.Commit(ctx, w.Ref)
		if errors.Is(err, ErrNoRevision) {
			return "", fmt.Errorf("fetch %s: %w", w.Ref, ErrGone)
		}
		return sha, err
	}
	if _, err := m.Commit(ctx, w.SHA); err == nil {
		return w.SHA, nil
	}
	err := m.fetchRefs(ctx, credential, []string{w.SHA})
	if _, missing := m.Commit(ctx, w.SHA); missing == nil {
		return w.SHA, nil
	}
	if ctx.Err() != nil {
		return "", err
	}
	return "", fmt.Errorf("fetch %s at %s: %w", w.SHA, w.Ref, ErrGone)
}

func (m *Mirror) fetchRefs(ctx context.Context, credential, refspecs []string) error {
	args := []string{
		"-c", "protocol.allow=never", "-c", "protocol." + scheme(m.remote) + ".allow=always",
		"-c", "http.followRedirects=false", "-c", "transfer.fsckObjects=true", "-c", "credential.helper=",
		"fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", m.remote,
	}
	// The mirror's own object directory: what was fetched stays.
	env := append(baseEnv(), credential...)
	if _, err := run(ctx, command{dir: m.dir, env: env, args: append(args, refspecs...)}); err != nil {
		return fmt.Errorf("fetch from %s: %w", m.remote, err)
	}
	return nil
}

func scheme(remote string) string {
	before, _, ok := strings.Cut(remote, "://")
	if !ok {
		return "file"
	}
	return before
}

func isMissingRef(err error) bool {
	var failed *gitError
	return errors.As(err, &failed) && strings.Contains(failed.stderr, "couldn't find remote ref")
}
