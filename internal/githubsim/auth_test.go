package githubsim_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/githubsim"
)

// jwt signs claims with the App's key, without a library's checks in the way.
func (w *world) jwt(alg string, claims map[string]any) string {
	w.t.Helper()
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			w.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	block, _ := pem.Decode(w.pem)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		w.t.Fatal(err)
	}
	text := part(map[string]string{"alg": alg, "typ": "JWT"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// get makes a bare request and returns the status and body.
func (w *world) get(path, authorization string) (int, string) {
	w.t.Helper()
	return w.do(http.MethodGet, path, authorization, "")
}

func (w *world) do(method, path, authorization, body string) (int, string) {
	w.t.Helper()
	resp, text := w.send(method, path, http.Header{"Authorization": {authorization}}, body)
	return resp.StatusCode, text
}

func (w *world) send(method, path string, h http.Header, body string) (*http.Response, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for k, v := range h {
		if v[0] != "" {
			req.Header[k] = v
		}
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close() // the body has been read
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp, string(text)
}

func TestJWT(t *testing.T) {
	w := newWorld(t)
	now := time.Now().Unix()
	for _, tt := range []struct {
		name   string
		alg    string
		claims map[string]any
		want   int
	}{
		{"good", "RS256", map[string]any{"iss": "7", "iat": now - 60, "exp": now + 540}, 200},
		{"number as issuer", "RS256", map[string]any{"iss": 7, "iat": now - 60, "exp": now + 540}, 200},
		{"other algorithm", "HS256", map[string]any{"iss": "7", "iat": now - 60, "exp": now + 540}, 401},
		{"none", "none", map[string]any{"iss": "7", "iat": now - 60, "exp": now + 540}, 401},
		{"unknown issuer", "RS256", map[string]any{"iss": "9", "iat": now - 60, "exp": now + 540}, 401},
		{"another App's issuer", "RS256", map[string]any{"iss": "8", "iat": now - 60, "exp": now + 540}, 401},
		{"from the future", "RS256", map[string]any{"iss": "7", "iat": now + 120, "exp": now + 540}, 401},
		{"expired", "RS256", map[string]any{"iss": "7", "iat": now - 600, "exp": now - 1}, 401},
		{"too long", "RS256", map[string]any{"iss": "7", "iat": now, "exp": now + 700}, 401},
		{"no expiry", "RS256", map[string]any{"iss": "7", "iat": now}, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, body := w.get("/api/v3/app", "Bearer "+w.jwt(tt.alg, tt.claims))
			if code != tt.want {
				t.Errorf("status %d, want %d: %s", code, tt.want, body)
			}
		})
	}
	if code, _ := w.get("/api/v3/app", "Bearer alice-token"); code != 401 {
		t.Errorf("a person's token on /app: %d, want 401", code)
	}
	if code, _ := w.get("/app", "Bearer "+w.jwt("RS256", map[string]any{"iss": "7", "iat": now, "exp": now + 60})); code != 200 {
		t.Errorf("REST at the root: %d, want 200", code)
	}
}

func TestAppCalls(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	app := w.asApp()
	if got, _, err := app.Apps.Get(ctx, ""); err != nil || got.GetSlug() != "mergegate" || got.GetInstallationsCount() != 1 {
		t.Errorf("app = %v, %v", got, err)
	}
	if got, _, err := app.Apps.ListInstallations(ctx, nil); err != nil || len(got) != 1 || got[0].GetAccount().GetLogin() != "acme" {
		t.Errorf("installations = %v, %v", got, err)
	}
	if got, _, err := app.Apps.GetInstallation(ctx, 70); err != nil || got.GetTargetType() != "Organization" {
		t.Errorf("installation = %v, %v", got, err)
	}
	if _, resp, err := app.Apps.GetInstallation(ctx, 80); statusOf(t, resp, err) != 404 {
		t.Errorf("another App's installation: %d, want 404", resp.StatusCode)
	}
	if got, _, err := app.Apps.FindRepositoryInstallation(ctx, "acme", "gitops"); err != nil || got.GetID() != 70 {
		t.Errorf("installation of acme/gitops = %v, %v", got, err)
	}
	if _, resp, err := app.Apps.FindRepositoryInstallation(ctx, "acme", "other"); statusOf(t, resp, err) != 404 {
		t.Errorf("installation of acme/other: %d, want 404", resp.StatusCode)
	}
	if got, _, err := app.Apps.FindOrganizationInstallation(ctx, "acme"); err != nil || got.GetID() != 70 {
		t.Errorf("installation of acme = %v, %v", got, err)
	}
	if _, resp, err := app.PullRequests.List(ctx, "acme", "gitops", nil); statusOf(t, resp, err) != 403 {
		t.Errorf("pull requests by JWT: %d, want 403", resp.StatusCode)
	}
	if got, _, err := app.Apps.GetHookConfig(ctx); err != nil || got.GetURL() != w.inbox.url || got.GetSecret() != "********" {
		t.Errorf("hook config = %v, %v", got, err)
	}
	if got, _, err := app.Apps.UpdateHookConfig(ctx, &github.HookConfig{URL: github.String("http://127.0.0.1:1/x")}); err != nil || got.GetURL() != "http://127.0.0.1:1/x" {
		t.Errorf("changed hook config = %v, %v", got, err)
	}
}

func TestInstallationToken(t *testing.T) {
	for name, tt := range map[string]struct {
		long bool
		form string
		most int
	}{
		"classic": {false, `^ghs_[A-Za-z0-9]{36}$`, 40},
		"new":     {true, `^ghs_7_[A-Za-z0-9._]{400,}$`, 600},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldWith(t, func(c *githubsim.Config) { c.LongTokens = tt.long })
			rt := w.installation(nil)
			token, err := rt.Token(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(tt.form).MatchString(token) || len(token) > tt.most {
				t.Errorf("token %q is not of the form %s", token, tt.form)
			}
			if got, _, err := w.client(rt).Apps.ListRepos(context.Background(), nil); err != nil || got.GetTotalCount() != 1 {
				t.Errorf("repositories = %v, %v", got, err)
			}
		})
	}
}

func TestTokenLife(t *testing.T) {
	w := newWorld(t)
	token := w.token(nil)
	const path = "/api/v3/repos/acme/gitops"
	if code, _ := w.get(path, "token "+token); code != 200 {
		t.Fatalf("fresh token: %d", code)
	}
	w.sim.Advance(61 * time.Minute)
	if code, _ := w.get(path, "Bearer "+token); code != 401 {
		t.Errorf("token after an hour: %d, want 401", code)
	}
	w.sim.Advance(-61 * time.Minute)
	if code, _ := w.do(http.MethodDelete, "/api/v3/installation/token", "Bearer "+token, ""); code != 204 {
		t.Errorf("revoke: %d, want 204", code)
	}
	if code, _ := w.get(path, "Bearer "+token); code != 401 {
		t.Errorf("revoked token: %d, want 401", code)
	}
	token = w.token(nil)
	if err := w.sim.Suspend(70, true); err != nil {
		t.Fatal(err)
	}
	if code, _ := w.get(path, "Bearer "+token); code != 403 {
		t.Errorf("token of a suspended installation: %d, want 403", code)
	}
	if _, err := w.installation(nil).Token(context.Background()); err == nil {
		t.Error("a suspended installation got a token")
	}
}

func TestDownScope(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	ask := func(options *github.InstallationTokenOptions) (*ghinstallation.Transport, error) {
		rt := w.installation(options)
		_, err := rt.Token(ctx)
		return rt, err
	}
	read := &github.InstallationPermissions{Checks: github.String("read")}
	rt, err := ask(&github.InstallationTokenOptions{RepositoryIDs: []int64{100}, Permissions: read})
	if err != nil {
		t.Fatal(err)
	}
	c := w.client(rt)
	if _, _, err := c.Checks.ListCheckRunsForRef(ctx, "acme", "gitops", "main", nil); err != nil {
		t.Errorf("read checks: %v", err)
	}
	_, resp, err := c.PullRequests.List(ctx, "acme", "gitops", nil)
	if statusOf(t, resp, err) != 403 || !strings.Contains(err.Error(), "Resource not accessible by integration") {
		t.Errorf("list pulls without the permission: %v", err)
	}
	if got := resp.Header.Get("X-Accepted-GitHub-Permissions"); got != "pull_requests=read" {
		t.Errorf("X-Accepted-GitHub-Permissions = %q", got)
	}
	for name, options := range map[string]*github.InstallationTokenOptions{
		"more than granted":    {Permissions: &github.InstallationPermissions{Deployments: github.String("write")}},
		"a stronger access":    {Permissions: &github.InstallationPermissions{Issues: github.String("write")}},
		"a foreign repository": {RepositoryIDs: []int64{101}},
		"an unknown name":      {Repositories: []string{"nothing"}},
	} {
		var failed *ghinstallation.HTTPError
		if _, err := ask(options); !errors.As(err, &failed) || failed.Response.StatusCode != 422 {
			t.Errorf("%s: %v, want 422", name, err)
		}
	}
}

func TestOutsideTheToken(t *testing.T) {
	w, ctx := newWorld(t), context.Background()
	for _, repo := range []string{"other", "missing"} {
		if _, resp, err := w.asInstallation().Repositories.Get(ctx, "acme", repo); statusOf(t, resp, err) != 404 {
			t.Errorf("acme/%s: %d, want 404", repo, resp.StatusCode)
		}
	}
	if code, _ := w.get("/api/v3/repos/acme/gitops", ""); code != 404 {
		t.Errorf("a private repository for nobody: %d, want 404", code)
	}
	if code, _ := w.get("/api/v3/repos/mallory/gitops", ""); code != 200 {
		t.Errorf("a public repository for nobody: %d, want 200", code)
	}
	if code, _ := w.do(http.MethodPost, "/api/v3/repos/mallory/gitops/pulls", "", `{"head":"a","base":"main","title":"t"}`); code != 401 {
		t.Errorf("a write by nobody: %d, want 401", code)
	}
	if _, resp, err := w.as("alice").Checks.CreateCheckRun(ctx, "acme", "gitops", github.CreateCheckRunOptions{Name: "x", HeadSHA: strings.Repeat("0", 40)}); statusOf(t, resp, err) != 403 {
		t.Errorf("a check run by a person: %d, want 403", resp.StatusCode)
	}
}
