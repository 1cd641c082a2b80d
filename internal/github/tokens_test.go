package github

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: RedactAttr}))
}

func TestTokensHaveTheirRole(t *testing.T) {
	f := newFake(t, says(200, comment1))
	c := f.client(t)
	for range 2 {
		if err := errors.Join(getComment(t, c), postComment(t, c)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.GitCredential(t.Context(), repo); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"permissions":{"checks":"read","contents":"read","metadata":"read","pull_requests":"read"}}`,
		`{"permissions":{"pull_requests":"write"}}`,
		`{"repository_ids":[42],"permissions":{"contents":"read"}}`,
	}
	var got []string
	for _, body := range f.tokens() {
		got = append(got, strings.TrimSpace(body))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests for tokens (-want +got):\n%s", diff)
	}
}

func TestRevokedTokenIsReplaced(t *testing.T) {
	f := newFake(t, nil)
	f.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "token "+oldToken+"2" {
			write(w, http.StatusUnauthorized, `{"message":"Bad credentials"}`)
			return
		}
		write(w, http.StatusCreated, comment1)
	}
	if err := postComment(t, f.client(t)); err != nil {
		t.Fatal(err)
	}
	f.answer = says(401, `{"message":"Bad credentials"}`)
	if err := postComment(t, f.client(t)); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("got %v, want ErrUnauthorized after one new token", err)
	}
	if n := len(f.requests()); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
}

func TestMintFaults(t *testing.T) {
	inAnHour := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	token := says(201, `{"token":"`+oldToken+`","expires_at":"`+inAnHour+`"}`)
	for name, test := range map[string]struct {
		mint http.HandlerFunc
		want error
	}{
		"5xx once":       {answers(says(502, ""), token), nil},
		"hang-up once":   {answers(hangUp, token), nil},
		"truncated once": {answers(truncated, token), nil},
		"odd once":       {answers(says(201, `{"token":7}`), token), nil},
		"empty once":     {answers(says(201, `{}`), token), nil},
		"wrong key":      {says(401, `{"message":"A JSON web token could not be decoded"}`), ErrUnauthorized},
		"uninstalled":    {says(404, `{"message":"Not Found"}`), ErrNotFound},
		"suspended":      {says(403, `{"message":"This installation has been suspended"}`), ErrSuspended},
		"not granted":    {says(422, `{"message":"The permissions requested are not granted to this installation."}`), ErrForbidden},
		"down":           {says(503, ``), ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, says(201, comment1))
			f.mint = test.mint
			err := postComment(t, f.client(t))
			var uncertain *Uncertain
			if !errors.Is(err, test.want) || errors.As(err, &uncertain) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if test.want != nil && !strings.Contains(err.Error(), "token for discuss") {
				t.Errorf("error does not say which token: %v", err)
			}
			if (len(f.requests()) == 1) != (test.want == nil) {
				t.Errorf("requests: %v", f.requests())
			}
		})
	}
}

func TestLimitOfMintingIsALimit(t *testing.T) {
	f := newFake(t, says(201, comment1))
	f.mint = says(403, secondary, "Retry-After", "100")
	var limit *RateLimited
	if err := postComment(t, f.client(t)); !errors.As(err, &limit) || limit.Until.Sub(f.clock.Now()) != 100*time.Second {
		t.Errorf("got %v, want RateLimited for 100 s", err)
	}
}

func TestGitCredential(t *testing.T) {
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+oldToken+"1" {
			t.Errorf("revoked with Authorization %q", r.Header.Get("Authorization"))
		}
		w.WriteHeader(http.StatusNoContent)
	})
	c := f.client(t)
	credential, err := c.GitCredential(t.Context(), repo)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=http." + f.URL + "/octo/gitops.git.extraHeader",
		"GIT_CONFIG_VALUE_0=Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzE2QzdlNDJGMjkyYzY5MTJFNzcxMGM4MzgzNDdBZTE3OEI0YTE=",
	}
	if diff := cmp.Diff(want, credential.Env()); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if text := Redact(strings.Join(credential.Env(), " ")); strings.Contains(text, "Z2hzXzE2") {
		t.Errorf("redacted environment: %s", text)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, credential); strings.Contains(text, oldToken) {
			t.Errorf("%s shows the token: %s", verb, text)
		}
	}
	if err := c.Revoke(t.Context(), credential); err != nil {
		t.Error(err)
	}
	f.answer = says(401, `{"message":"Bad credentials"}`)
	if err := c.Revoke(t.Context(), credential); err != nil {
		t.Errorf("revoke of an expired token: %v", err)
	}
}
