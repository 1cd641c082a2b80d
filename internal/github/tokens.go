package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/bradleyfalzon/ghinstallation/v2"
)

// tokens authenticates requests as an installation in one role. ghinstallation keeps a token until it expires; tokens
// can also drop one that GitHub no longer accepts.
type tokens struct {
	role role
	make func() *ghinstallation.Transport

	mu      sync.Mutex
	current *ghinstallation.Transport
}

// newTokens scopes an installation's tokens to a role.
func (a *App) newTokens(installation int64, r role) *tokens {
	return &tokens{role: r, make: func() *ghinstallation.Transport {
		apps := a.appsTransport()
		apps.BaseURL = strings.TrimSuffix(a.api.BaseURL.String(), "/")
		t := ghinstallation.NewFromAppsTransport(apps, installation)
		t.InstallationTokenOptions = tokenOptions(r)
		return t
	}}
}

func (t *tokens) transport() *ghinstallation.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == nil {
		t.current = t.make()
	}
	return t.current
}

// drop makes the next request get a new token.
func (t *tokens) drop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = nil
}

// RoundTrip sends req with a token.
func (t *tokens) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.transport().RoundTrip(req)
}

// mintOp is what an APIError calls the request for a token.
const mintOp = "POST access_tokens"

// mintError is why there is no token. The request that needed it was not sent.
type mintError struct {
	role role
	err  error
}

func (e *mintError) Error() string { return fmt.Sprintf("get token for %s: %v", e.role, e.err) }

func (e *mintError) Unwrap() error { return e.err }

// ensure gets a token if there is none. With an error comes GitHub's answer, if there was one.
func (t *tokens) ensure(ctx context.Context) (reply, error) {
	_, err := t.transport().Token(ctx)
	if err == nil {
		return reply{}, nil
	}
	var refused *ghinstallation.HTTPError
	if !errors.As(err, &refused) || refused.Response == nil {
		return reply{}, &mintError{role: t.role, err: err}
	}
	r, readErr := readReply(refused.Response)
	if readErr != nil {
		return reply{}, &mintError{role: t.role, err: readErr}
	}
	return r, &mintError{role: t.role, err: apiError(mintOp, r)}
}

// mint reads the answers that hold new tokens. A good one is reduced to what ghinstallation needs of it, so that
// nothing else in it can keep it from being decoded; of a bad one ghinstallation would leave the connection in use.
type mint struct{ next http.RoundTripper }

func (m mint) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(req)
	if err != nil || !strings.HasSuffix(req.URL.Path, "/access_tokens") {
		return resp, err
	}
	r, err := readReply(resp)
	if err != nil {
		return nil, fmt.Errorf("read new token: %w", err)
	}
	body := r.body
	if resp.StatusCode == http.StatusCreated {
		if body, err = reduceToken(body); err != nil {
			return nil, fmt.Errorf("read new token: %w", err)
		}
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// reduceToken never quotes the answer in an error: it may hold the token.
func reduceToken(body []byte) ([]byte, error) {
	var token struct {
		Token     string `json:"token"`
		ExpiresAt string `json:"expires_at"`
	}
	if json.Unmarshal(body, &token) != nil {
		return nil, errors.New("the answer is not what is known")
	}
	if token.Token == "" || token.ExpiresAt == "" {
		return nil, errors.New("the answer has none")
	}
	return json.Marshal(map[string]string{"token": token.Token, "expires_at": token.ExpiresAt})
}
