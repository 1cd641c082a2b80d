package github

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/mergegate/mergegate/internal/pull"
)

// Credential lets git read one repository for an hour. It is given to git by the environment: in arguments and URLs it
// would be seen by others and end in errors and files.
type Credential struct {
	URL     string // what to fetch from; the credential is sent nowhere else
	Expires time.Time
	token   string
}

// Config is the git configuration that makes git send the credential.
func (c Credential) Config() (key, value string) {
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + c.token))
	return "http." + c.URL + ".extraHeader", "Authorization: Basic " + basic
}

// Env is that configuration as git's environment. It replaces any other GIT_CONFIG_COUNT.
func (c Credential) Env() []string {
	key, value := c.Config()
	return []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=" + key, "GIT_CONFIG_VALUE_0=" + value}
}

// String does not show the token.
func (c Credential) String() string { return "credential for " + c.URL }

// GoString does not show the token either.
func (c Credential) GoString() string { return c.String() }

// GitCredential gets a token that can only read the contents of repo. Every call gets a new one; Revoke it after use.
func (c *Client) GitCredential(ctx context.Context, repo pull.Repository) (Credential, error) {
	if err := checkRepository(repo); err != nil {
		return Credential{}, err
	}
	if repo.ID == 0 {
		return Credential{}, fmt.Errorf("get git credential for %s: repository without id", repo.FullName())
	}
	options := tokenOptions(roleClone)
	options.RepositoryIDs = []int64{repo.ID}
	token, err := exchange[struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}](ctx, c.app.sender, call{
		method: http.MethodPost, path: fmt.Sprintf("app/installations/%d/access_tokens", c.installation),
		body: options, repeatable: true, // one token too many does no harm
	})
	if err != nil {
		return Credential{}, fmt.Errorf("get git credential for %s: %w", repo.FullName(), err)
	}
	if token.Token == "" {
		return Credential{}, fmt.Errorf("get git credential for %s: %w", repo.FullName(), errors.New("the answer has no token"))
	}
	return Credential{URL: c.app.CloneURL(repo), Expires: token.Expires, token: token.Token}, nil
}

// Revoke makes a credential useless. One that has expired is no error.
func (c *Client) Revoke(ctx context.Context, credential Credential) error {
	bearer := pin(c.app.api.BaseURL, &bearer{token: credential.token, next: c.app.base})
	s := c.app.newSender(bearer, c.read.limiter)
	_, err := s.do(ctx, call{method: http.MethodDelete, path: "installation/token", repeatable: true, bare: true})
	if errors.Is(err, ErrUnauthorized) {
		return nil
	}
	return err
}

// bearer authenticates with a token that is already there.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b *bearer) RoundTrip(req *http.Request) (*http.Response, error) {
	clone := req.Clone(req.Context())
	clone.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(clone)
}
