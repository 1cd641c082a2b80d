package render

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// workerMarker makes the test binary run as a worker.
const workerMarker = "render-worker-of-the-tests"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerMarker {
		os.Exit((&worker{probe: probe}).run(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// probe tries, inside an isolated worker, what must not work there.
func probe(what string) string {
	switch what {
	case "exec":
		return fmt.Sprint(syscall.Exec("/bin/true", []string{"true"}, nil))
	case "fork":
		pid, _, errno := syscall.RawSyscall(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0)
		if errno == 0 && pid == 0 {
			syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
		}
		return fmt.Sprint(errno)
	case "dial":
		_, err := net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
		return fmt.Sprint(err)
	case "listen":
		_, err := net.Listen("tcp", "127.0.0.1:0")
		return fmt.Sprint(err)
	case "unix":
		_, err := net.Dial("unix", "/run/none")
		return fmt.Sprint(err)
	case "read":
		_, err := os.ReadFile("/etc/passwd")
		return fmt.Sprint(err)
	case "write":
		return fmt.Sprint(os.WriteFile("/tmp/mergegate-probe", nil, 0o600))
	case "remove":
		return fmt.Sprint(os.Remove("/tmp/none"))
	case "rename":
		return fmt.Sprint(os.Rename("/tmp/none", "/tmp/other"))
	case "kill":
		return fmt.Sprint(syscall.Kill(os.Getppid(), 0))
	case "environment":
		return strings.Join(os.Environ(), " ")
	case "directory":
		return os.Getenv("PWD") + fmt.Sprint(syscall.Getpid() > 0)
	case "crash":
		var recurse func(int) int
		recurse = func(n int) int { return recurse(n+1) + n }
		return fmt.Sprint(recurse(0))
	case "memory":
		var hold [][]byte
		for {
			block := make([]byte, 1<<20)
			for i := range block {
				block[i] = 1
			}
			hold = append(hold, block)
			if len(hold) > 1<<14 {
				return "not stopped"
			}
		}
	case "leap":
		return fmt.Sprint(len(make([]byte, 3<<30)))
	case "loop":
		for i := 0; ; i++ {
			if i < 0 {
				return ""
			}
		}
	}
	return "unknown probe"
}

// mapTree is a tree in memory.
type mapTree struct{ fstest.MapFS }

// tree makes a tree from a txtar-like text: "-- path --" lines before each file's content, or
// "-- path -> target --" for a symlink.
func tree(files string) mapTree {
	t := mapTree{fstest.MapFS{}}
	name, content := "", &strings.Builder{}
	flush := func() {
		if link, target, ok := strings.Cut(name, " -> "); ok {
			t.MapFS[link] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
		} else if name != "" {
			t.MapFS[name] = &fstest.MapFile{Data: []byte(content.String()), Mode: 0o644}
		}
	}
	for line := range strings.Lines(files) {
		if head, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(strings.TrimSpace(head), " --") {
			flush()
			name, content = strings.TrimSuffix(strings.TrimSpace(head), " --"), &strings.Builder{}
			continue
		}
		content.WriteString(line)
	}
	flush()
	return t
}

// with is the tree and one more file.
func (t mapTree) with(name string, data []byte) mapTree {
	t.MapFS[name] = &fstest.MapFile{Data: data, Mode: 0o644}
	return t
}

// over puts the files of another tree below a directory.
func (t mapTree) over(dir string, other mapTree) mapTree {
	for name, file := range other.MapFS {
		t.MapFS[path.Join(dir, name)] = file
	}
	return t
}

// newPool starts a pool of the test binary's workers.
func newPool(t testing.TB, cfg Config) *Pool {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Command = []string{program, workerMarker}
	if cfg.Workers == 0 {
		cfg.Workers = 2
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close pool: %v", err)
		}
	})
	return p
}

// probeWorker lets a worker of the pool run a probe.
func probeWorker(ctx context.Context, p *Pool, what string) (string, error) {
	w := <-p.slots
	defer func() { p.slots <- w }()
	var err error
	if w == nil {
		if w, err = start(p.cfg); err != nil {
			return "", err
		}
	}
	limited, cancel := context.WithTimeoutCause(ctx, p.cfg.Timeout, errTimeout)
	defer cancel()
	answer, err := w.converse(limited, &treeServer{}, frameProbe, []byte(what))
	if err != nil {
		err = p.explain(limited, Request{Path: "probe"}, w.end(err))
		w = nil
	}
	return answer.Probe, err
}
