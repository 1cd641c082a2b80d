package githubsim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// principal is who makes a call: an App by its JWT, an installation, a person, or nobody.
type principal struct {
	app   *app // by JWT
	token *token
}

func (p *principal) jwt() bool       { return p.app != nil }
func (p *principal) anonymous() bool { return p.app == nil && p.token == nil }

func (p *principal) installation() *installation {
	if p.token == nil {
		return nil
	}
	return p.token.in
}

func (p *principal) person() *user {
	if p.token == nil {
		return nil
	}
	return p.token.user
}

// user is under whose name an effect appears: the person, or the App's bot.
func (p *principal) user() *user {
	if in := p.installation(); in != nil {
		return in.app.bot
	}
	return p.person()
}

func (p *principal) asApp() *app {
	if in := p.installation(); in != nil {
		return in.app
	}
	return nil
}

// key names the rate limit the caller draws on.
func (p *principal) key() string {
	switch {
	case p.app != nil:
		return "app " + p.app.slug
	case p.installation() != nil:
		return fmt.Sprintf("installation ID %d", p.token.in.id)
	case p.person() != nil:
		return fmt.Sprintf("user ID %d", p.token.user.id)
	default:
		return "127.0.0.1"
	}
}

func unauthorized(format string, args ...any) *answer {
	out := fail(http.StatusUnauthorized, format, args...)
	return &out
}

// authenticate reads the Authorization header. A credential that is there but wrong is refused, never ignored.
func (s *Server) authenticate(r *http.Request) (*principal, *answer) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "":
		return &principal{}, nil
	case "basic":
		_, value, _ = r.BasicAuth()
	case "bearer", "token":
	default:
		return nil, unauthorized("Bad credentials")
	}
	if strings.Count(value, ".") == 2 && !strings.HasPrefix(value, "ghs_") {
		a, err := s.verifyJWT(value)
		if err != nil {
			return nil, unauthorized("%s", err)
		}
		return &principal{app: a}, nil
	}
	t := s.tokens[value]
	if t == nil || t.revoked || (!t.expires.IsZero() && !s.now().Before(t.expires)) {
		return nil, unauthorized("Bad credentials")
	}
	if t.in != nil && t.in.suspended != nil {
		out := fail(http.StatusForbidden, "This installation has been suspended")
		return nil, &out
	}
	return &principal{token: t}, nil
}

// claims are those of an App's JWT that GitHub reads.
type claims struct {
	Issuer  json.RawMessage `json:"iss"`
	Issued  float64         `json:"iat"`
	Expires float64         `json:"exp"`
}

var errJWT = errors.New("A JSON web token could not be decoded")

// verifyJWT checks signature and times as GitHub does: RS256, iat not in the future, at most ten minutes to exp.
func (s *Server) verifyJWT(text string) (*app, error) {
	parts := strings.Split(text, ".")
	var head struct {
		Algorithm string `json:"alg"`
	}
	var body claims
	if decodePart(parts[0], &head) != nil || decodePart(parts[1], &body) != nil || head.Algorithm != "RS256" {
		return nil, errJWT
	}
	a := s.appOf(strings.Trim(string(body.Issuer), `"`))
	if a == nil {
		return nil, errors.New("Integration not found")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, errJWT
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&a.key.PublicKey, crypto.SHA256, sum[:], signature) != nil {
		return nil, errJWT
	}
	return a, s.checkTimes(body)
}

func (s *Server) checkTimes(body claims) error {
	now := float64(s.now().Unix())
	const leeway = 60
	switch {
	case body.Issued > now+leeway:
		return errors.New("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	case body.Expires <= now:
		return errors.New("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case body.Expires > now+600:
		return errors.New("'Expiration time' claim ('exp') is too far in the future")
	}
	return nil
}

func decodePart(text string, v any) error {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// appOf finds an App by the issuer of its JWT: the id, or the client id (the latter is unverified).
func (s *Server) appOf(issuer string) *app {
	for _, a := range s.apps {
		if issuer == strconv.FormatInt(a.id, 10) || issuer == a.clientID() {
			return a
		}
	}
	return nil
}

func (a *app) clientID() string { return fmt.Sprintf("Iv23li%014d", a.id) }

// clock is now for callers without the lock.
func (s *Server) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}
