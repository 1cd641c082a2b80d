package render

import (
	"strings"
	"testing"
	"time"
)

// TestIsolation lets a real worker try what it must not be able to do.
func TestIsolation(t *testing.T) {
	if !strings.Contains(Isolation(), "seccomp system call filter") {
		t.Fatalf("this system isolates by %q only: the test needs Linux with seccomp", Isolation())
	}
	p := newPool(t, Config{Workers: 1})
	for _, what := range []string{"exec", "fork", "dial", "listen", "unix", "read", "write", "remove", "rename", "kill"} {
		got, err := probeWorker(t.Context(), p, what)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if !strings.Contains(got, "operation not permitted") {
			t.Errorf("%s: %s, want operation not permitted", what, got)
		}
	}
	if got, err := probeWorker(t.Context(), p, "environment"); err != nil || got != "" {
		t.Errorf("environment: %q, %v, want none", got, err)
	}
	mustRender(t, p)
}

// TestEndings lets workers overrun and crash: each is told apart, and the next request is served.
func TestEndings(t *testing.T) {
	p := newPool(t, Config{Workers: 1, Memory: 192 << 20, Timeout: 20 * time.Second})
	for _, c := range []struct {
		probe string
		class Class
		text  string
	}{
		{"memory", ClassMemory, "needs more than 192 MiB of memory"},
		{"leap", ClassMemory, "needs more than 192 MiB of memory"},
		{"crash", ClassCrash, "the render worker crashed"},
	} {
		if raceEnabled && c.probe != "memory" {
			continue // the race detector has its own limits on memory and stacks
		}
		_, err := probeWorker(t.Context(), p, c.probe)
		wantError(t, err, c.class, c.text)
		mustRender(t, p)
	}
	p = newPool(t, Config{Workers: 1, Timeout: 300 * time.Millisecond})
	_, err := probeWorker(t.Context(), p, "loop")
	wantError(t, err, ClassTimeout, "not rendered within 300ms and stopped")
}
