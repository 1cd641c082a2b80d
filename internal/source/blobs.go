package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// maxBlob is the size in bytes above which a file is not read: no manifest is that large.
const maxBlob = 64 << 20

// cacheBudget bounds the bytes of blobs kept in memory; base and head share most of theirs.
const cacheBudget = 128 << 20

// blobs reads blobs through one `git cat-file --batch-command` process, started at the first read.
type blobs struct {
	dir string
	env []string

	mu     sync.Mutex
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	cache  map[string][]byte
	cached int
}

func newBlobs(dir string, env []string) *blobs {
	return &blobs{dir: dir, env: env, cache: map[string][]byte{}}
}

// start starts the process. It lives until close, not as long as one read.
func (b *blobs) start() error {
	if b.cmd != nil {
		return nil
	}
	cmd := exec.CommandContext(context.Background(), "git", append(hardening(), "cat-file", "--batch-command")...)
	cmd.Dir, cmd.Env = b.dir, b.env
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start git cat-file: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start git cat-file: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start git cat-file: %w", err)
	}
	b.cmd, b.in, b.out = cmd, in, bufio.NewReaderSize(out, 64<<10)
	return nil
}

func (b *blobs) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cmd == nil {
		return nil
	}
	err := errors.Join(b.in.Close(), b.cmd.Wait())
	b.cmd = nil
	return err
}

// read returns a blob's bytes, which the caller must not change.
func (b *blobs) read(id string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if data, ok := b.cache[id]; ok {
		return data, nil
	}
	size, err := b.header("info", id)
	if err != nil {
		return nil, err
	}
	if size > maxBlob {
		return nil, fmt.Errorf("is %d MiB: files over %d MiB are not read", size>>20, maxBlob>>20)
	}
	if _, err := b.header("contents", id); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(b.out, data); err != nil {
		return nil, fmt.Errorf("read object %s: %w", id, err)
	}
	if _, err := b.out.Discard(1); err != nil {
		return nil, fmt.Errorf("read object %s: %w", id, err)
	}
	b.keep(id, data)
	return data, nil
}

func (b *blobs) keep(id string, data []byte) {
	if b.cached += len(data); b.cached > cacheBudget {
		b.cache, b.cached = map[string][]byte{}, len(data)
	}
	b.cache[id] = data
}

// size returns a blob's size in bytes.
func (b *blobs) size(id string) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if data, ok := b.cache[id]; ok {
		return int64(len(data)), nil
	}
	return b.header("info", id)
}

// header asks for an object and reads the line that precedes its bytes: "<id> <type> <size>".
func (b *blobs) header(verb, id string) (int64, error) {
	if err := b.start(); err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintf(b.in, "%s %s\n", verb, id); err != nil {
		return 0, fmt.Errorf("read object %s: %w", id, err)
	}
	line, err := b.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("read object %s: %w", id, err)
	}
	fields := strings.Fields(line)
	if len(fields) != 3 {
		return 0, fmt.Errorf("read object %s: git says %q", id, strings.TrimSpace(line))
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read object %s: git says %q", id, strings.TrimSpace(line))
	}
	return size, nil
}
