package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, in := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"--addr", "127.0.0.1:0", "--seed", "seed.yaml", "--dir", dir}, in, io.Discard)
		in.Close() // a pipe's Close does not fail
	}()
	lines := map[string]string{}
	for scan := bufio.NewScanner(out); len(lines) < 4 && scan.Scan(); {
		key, value, _ := strings.Cut(scan.Text(), ": ")
		lines[key] = value
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, lines["rest"]+"/repos/acme/gitops", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer alice-token")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close() // only the status matters
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
	if key := filepath.Join(dir, "keys", "gate.pem"); lines["app"] != "gate id=1 key="+key {
		t.Errorf("app line %q does not name %s", lines["app"], key)
	} else if _, err := os.Stat(key); err != nil {
		t.Error(err)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("exit %d, want 0", code)
	}
}

func TestUsage(t *testing.T) {
	typo := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(typo, []byte("usres: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(wrong, []byte("repositories: [{owner: nobody, name: x}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"help":         {[]string{"--help"}, exitOK, "Exit status"},
		"unknown flag": {[]string{"--port", "1"}, exitUsage, "port"},
		"argument":     {[]string{"x"}, exitUsage, `"x"`},
		"no file":      {[]string{"--seed", "/nonexistent"}, exitUsage, "read seed"},
		"typo":         {[]string{"--seed", typo}, exitUsage, "usres"},
		"no owner":     {[]string{"--seed", wrong}, exitUsage, "owner is not in users"},
		"bad address":  {[]string{"--addr", "256.0.0.1:x"}, exitFault, "listen"},
	} {
		var stderr strings.Builder
		if code := run(context.Background(), tt.args, io.Discard, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.want) {
			t.Errorf("%s: exit %d, %q; want %d, %q", name, code, stderr.String(), tt.code, tt.want)
		}
	}
}
