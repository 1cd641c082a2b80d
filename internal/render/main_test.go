package render

import (
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// workerMarker makes the test binary run as a worker.
const workerMarker = "render-worker-of-the-tests"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerMarker {
		os.Exit((&worker{probe: probe}).run(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
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
