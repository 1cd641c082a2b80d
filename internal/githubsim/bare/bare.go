// Package bare runs git over one bare repository: refs, commits, trees, diffs and merges without a work tree.
// It knows the git command and nothing of GitHub, HTTP or the simulator that uses it.
//
// Nothing here takes a context: on GitHub, a change that has begun is completed when its client goes away.
package bare

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Zero is the object id that stands for "no object" in ref updates and webhook payloads.
const Zero = "0000000000000000000000000000000000000000"

// Repo is a bare repository on disk.
type Repo struct {
	// Dir is the absolute path of the bare repository.
	Dir string
}

// settings make a bare repository answer as GitHub does: partial and by-id fetches, pushes over HTTP,
// refs/pull read only, and no housekeeping behind the caller's back.
func settings() [][2]string {
	return [][2]string{
		{"http.receivepack", "true"},
		{"uploadpack.allowFilter", "true"},
		{"uploadpack.allowAnySHA1InWant", "true"},
		{"receive.hideRefs", "refs/pull"},
		{"receive.autogc", "false"},
		{"gc.auto", "0"},
		{"receive.denyDeleteCurrent", "ignore"},
	}
}

// Init makes a bare repository at dir whose HEAD names branch, or opens the one that is there.
func Init(dir, branch string) (*Repo, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("resolve repository directory %s: %w", dir, err)
	}
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return nil, fmt.Errorf("make repository directory: %w", err)
	}
	r := &Repo{Dir: abs}
	if _, err := r.Git(nil, "init", "--quiet", "--bare", "--initial-branch="+branch, "--template="); err != nil {
		return nil, err
	}
	var config strings.Builder
	for _, kv := range settings() {
		section, key, _ := strings.Cut(kv[0], ".")
		fmt.Fprintf(&config, "[%s]\n\t%s = %s\n", section, key, kv[1])
	}
	return r, r.appendConfig(config.String())
}

func (r *Repo) appendConfig(text string) error {
	path := filepath.Join(r.Dir, "config")
	have, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read repository config: %w", err)
	}
	if bytes.Contains(have, []byte(text)) {
		return nil
	}
	if err := os.WriteFile(path, append(have, text...), 0o644); err != nil {
		return fmt.Errorf("write repository config: %w", err)
	}
	return nil
}

// Environ is the environment git runs in: the user's configuration must not change what a test sees.
func Environ() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=/nonexistent",
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
	}
}

// Git runs one git command in the repository and returns its standard output.
func (r *Repo) Git(stdin []byte, args ...string) ([]byte, error) {
	return r.run(stdin, nil, args...)
}

func (r *Repo) run(stdin []byte, env []string, args ...string) ([]byte, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(append(Environ(), "GIT_DIR="+r.Dir), env...)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.Bytes(), &Error{Args: args, Stderr: strings.TrimSpace(errOut.String()), Err: err}
	}
	return out.Bytes(), nil
}

// Error is a git command that failed.
type Error struct {
	// Args are the arguments git was given.
	Args []string
	// Stderr is what git said.
	Stderr string
	// Err is the exit state.
	Err error
}

// Error names the command and what git said.
func (e *Error) Error() string {
	return fmt.Sprintf("git %s: %v: %s", strings.Join(e.Args, " "), e.Err, e.Stderr)
}

// Unwrap gives the exit state.
func (e *Error) Unwrap() error { return e.Err }

func line(out []byte) string { return strings.TrimSpace(string(out)) }

// fields splits NUL-terminated output.
func fields(out []byte) []string {
	text := strings.TrimSuffix(string(out), "\x00")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}
