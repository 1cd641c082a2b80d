//go:build unix

package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// script makes a cluster in $1 with the programs in $2 and serves it on a socket there until its
// input ends, which it does with the test process, however that ends; then it removes everything.
// $3 says whether commits are flushed to disk.
const script = `
set -eu
cd "$1"
trap 'rm -rf "$1"' EXIT
"$2/initdb" --pgdata="$1/data" --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-sync --no-instructions
"$2/postgres" -D "$1/data" -k "$1" -c listen_addresses= -c fsync=$3 -c full_page_writes=$3 \
	-c max_connections=200 -c max_wal_size=256MB -c logging_collector=off &
server=$!
cat >/dev/null || true
kill -QUIT $server
wait $server || true
`

// instance is a PostgreSQL server.
type instance struct {
	url   *url.URL
	alive *os.File // while it is open, a server of our own lives; nil for somebody else's
}

// startServer starts a PostgreSQL that ends with this process. flush is on or off.
func startServer(flush string) (*instance, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	dir, account, err := serverDir()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the children have their own
	input, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer input.Close() // the child has its own
	cmd := exec.Command("/bin/sh", "-c", script, "sh", dir, programs, flush)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: account}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	server := &url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres", RawQuery: url.Values{"host": {dir}}.Encode()}
	return &instance{url: server, alive: alive}, awaitServer(server, log.Name())
}

func awaitServer(server *url.URL, log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := executeOn(ctx, server, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			said, _ := os.ReadFile(log) // only for the message
			return fmt.Errorf("start PostgreSQL: %w\n%s", err, said)
		case <-tick.C:
		}
	}
}

// serverDir makes a directory for the server, and tells as whom to run it: PostgreSQL refuses root.
func serverDir() (string, *syscall.Credential, error) {
	parent := os.TempDir()
	if len(parent) > 60 {
		parent = "/tmp" // a socket's path has at most 107 bytes
	}
	dir, err := os.MkdirTemp(parent, "mergegate-postgres-")
	if err != nil || os.Geteuid() != 0 {
		return dir, nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return "", nil, err
	}
	return dir, account, os.Chown(dir, int(account.Uid), int(account.Gid))
}

func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(account.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(account.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody")
}

// findPrograms is the directory of PostgreSQL's programs. Where it may, it installs them.
func findPrograms() (string, error) {
	if dir := installedPrograms(); dir != "" {
		return dir, nil
	}
	aptGet, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "", errors.New("no initdb and postgres in PATH or /usr/lib/postgresql/*/bin, and no right to install them")
	}
	for _, args := range [][]string{{"update"}, {"install", "--yes", "--no-install-recommends", "postgresql"}} {
		cmd := exec.Command(aptGet, append([]string{"-o", "DPkg::Lock::Timeout=600"}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("install PostgreSQL: %s: %w\n%s", cmd, err, out)
		}
	}
	if dir := installedPrograms(); dir != "" {
		return dir, nil
	}
	return "", errors.New("apt-get installed postgresql, but there is no initdb and postgres in /usr/lib/postgresql/*/bin")
}

// installedPrograms is the directory that has both programs: of the newest version, else of PATH.
func installedPrograms() string {
	var candidates []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern) // the patterns are well formed
		slices.Reverse(found)
		candidates = append(candidates, found...)
	}
	if program, err := exec.LookPath("postgres"); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil {
			candidates = append(candidates, filepath.Dir(program))
		}
	}
	for _, dir := range candidates {
		if isProgram(filepath.Join(dir, "initdb")) && isProgram(filepath.Join(dir, "postgres")) {
			return dir
		}
	}
	return ""
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
