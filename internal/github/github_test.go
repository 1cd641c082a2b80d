package github

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/pull"
)

const newToken = "ghs_1234567_eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJnaXRodWIuY29tIiwic3ViIjoiMTIzNCJ9.c2lnbmF0dXJl-_c2lnbmF0dXJl"

func TestRedact(t *testing.T) {
	jwt := "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI0MiJ9.c2lnbmF0dXJl"
	key := string(privateKey(t))
	for name, secret := range map[string]string{
		"installation token": oldToken, "new installation token": newToken, "personal token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
		"user token": "ghu_16C7e42F292c6912E7710c838347Ae178B4a", "fine-grained token": "github_pat_11AAAAAAA0abcdefghijkl_abcdefghijklmnop",
		"JSON web token": jwt, "private key": key, "git header": "eC1hY2Nlc3MtdG9rZW46Z2hzXzE2QzdlNDJGMjkyYzY5MTJFNzcxMGM4",
	} {
		for _, text := range []string{"%s", "token %s.", "https://x-access-token:%s@github.com/o/r", "a%sb", "{\"token\":\"%s\"}", "Authorization: Bearer %s\n"} {
			if name == "private key" || strings.HasPrefix(text, "a") && name == "JSON web token" {
				text = "%s"
			}
			if got := Redact(fmt.Sprintf(text, secret)); strings.Contains(got, secret) || strings.Contains(got, secret[len(secret)/2:]) {
				t.Errorf("%s in %q: %q", name, text, got)
			}
		}
	}
	for _, text := range []string{"", "deployment/web: ghs_short", "https://github.com/o/r/pull/1", "user@example.com", mergeSHA} {
		if got := Redact(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestRedactAttr(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: RedactAttr})).With("with", oldToken)
	log.Info("token "+newToken, "error", errors.New("x "+oldToken), "bytes", []byte(oldToken), "url", &url.URL{Scheme: "https", Path: oldToken},
		slog.Group("g", "in", oldToken), "struct", struct{ Token string }{oldToken}, "n", 7)
	if text := out.String(); strings.Contains(text, oldToken) || strings.Contains(text, "eyJ") || !strings.Contains(text, `"n":7`) {
		t.Errorf("log: %s", text)
	}
}

func TestEndpoints(t *testing.T) {
	for server, want := range map[string][2]string{
		"https://github.com":          {"https://api.github.com", "https://github.com"},
		"https://GitHub.com:443/":     {"https://api.github.com", "https://github.com"},
		"https://octo.ghe.com":        {"https://api.octo.ghe.com", "https://octo.ghe.com"},
		"https://git.example.com":     {"https://git.example.com/api/v3", "https://git.example.com"},
		"https://git.example.com:444": {"https://git.example.com:444/api/v3", "https://git.example.com:444"},
		"http://127.0.0.1:8080":       {"http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080"},
	} {
		api, git, err := Endpoints(server)
		if err != nil || api != want[0] || git != want[1] {
			t.Errorf("%s: %s %s %v", server, api, git, err)
		}
		a, err := New(Config{BaseURL: api, AppID: 1, PrivateKey: privateKey(t)})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.CloneURL(repo); got != want[1]+"/octo/gitops.git" {
			t.Errorf("%s: clone from %s", api, got)
		}
	}
	for _, bad := range []string{"", "github.com", "http://github.com", "ftp://github.com", "https://u:p@github.com", "https://github.com/x", "https://github.com?x", "://"} {
		if _, _, err := Endpoints(bad); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no id":     {PrivateKey: privateKey(t)},
		"no key":    {AppID: 1},
		"bad key":   {AppID: 1, PrivateKey: []byte("x")},
		"plain":     {AppID: 1, PrivateKey: privateKey(t), BaseURL: "http://api.example.com"},
		"plain git": {AppID: 1, PrivateKey: privateKey(t), GitURL: "http://example.com"},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPin(t *testing.T) {
	api := &url.URL{Scheme: "https", Host: "git.example.com", Path: "/api/v3/"}
	sent := 0
	p := pin(api, roundTrip(func(*http.Request) (*http.Response, error) { sent++; return &http.Response{}, nil }))
	for address, allowed := range map[string]bool{
		"https://git.example.com/api/v3/app": true, "https://GIT.example.com:443/api/v3/app": true,
		"http://git.example.com/api/v3/app": false, "https://git.example.com:444/api/v3/app": false,
		"https://git.example.com.evil.org/api/v3/app": false, "https://evil.org/api/v3/app": false,
		"https://git.example.com/other": false, "https://git.example.com/api/v3/../../other": false,
		"https://git.example.com/api/v3/%2e%2e/x": false,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		sent = 0
		if _, err := p.RoundTrip(req); allowed != (sent == 1) || !allowed && !errors.Is(err, ErrForeignHost) {
			t.Errorf("%s: sent %d, error %v", address, sent, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestPathsCannotClimb(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/repos/octo/gitops/") {
			t.Errorf("request for %s", r.URL)
		}
		write(w, http.StatusOK, `{}`)
	})
	c := f.client(t)
	for _, odd := range []string{"..", "../..", "x/../../..", ".", "", "%2e%2e", "a?b", "a#b", "//evil.org"} {
		if _, err := c.Permission(t.Context(), repo, pull.User{ID: 1, Login: odd}); err == nil {
			t.Errorf("login %q: no error", odd)
		}
		if _, err := c.BranchHead(t.Context(), repo, odd); err == nil {
			t.Errorf("branch %q: no error", odd)
		}
		if _, err := c.PullRequest(t.Context(), pull.Repository{ID: 1, Owner: "octo", Name: odd}, 1); err == nil {
			t.Errorf("repository %q: no error", odd)
		}
	}
}

func TestInstallationClientsAreShared(t *testing.T) {
	a := newFake(t, nil).app(t, nil)
	first := a.Installation(1)
	if a.Installation(1) != first || a.Installation(2) == first {
		t.Error("want one client per installation")
	}
	a.Forget(1)
	if a.Installation(1) == first {
		t.Error("a forgotten client is still used")
	}
}
