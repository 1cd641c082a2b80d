package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v60/github"
)

const (
	maxAttempts  = 4
	firstBackoff = 500 * time.Millisecond
	maxResponse  = 64 << 20
)

// call is one request to the API.
type call struct {
	method string
	path   string // below the API's address, escaped
	body   any
	// repeatable writes may be sent again when nobody knows whether they were carried out.
	repeatable bool
	// bare calls answer with nothing that we read.
	bare bool
}

func (c call) String() string { return c.method + " /" + c.path }

func (c call) write() bool { return c.method != http.MethodGet }

// reply is an answer, with its whole body.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// sender sends calls with one identity and repeats them where that is right.
type sender struct {
	api     *github.Client
	http    *http.Client
	tokens  *tokens // nil as the App itself
	limiter *limiter
	clock   Clock
	log     *slog.Logger
	timeout time.Duration
}

// do sends c until there is an answer to it. It returns the answer only when that is a success; every error is one of
// RateLimited, Uncertain, APIError, ErrForeignHost, or for a request that did not reach GitHub the network's.
func (s *sender) do(ctx context.Context, c call) (reply, error) {
	leave, err := s.limiter.enter(ctx, c.write())
	if err != nil {
		return reply{}, fmt.Errorf("%s: wait for its turn: %w", c, err)
	}
	defer leave()
	renewed := false
	for n := 1; ; n++ {
		if err := s.limiter.clear(ctx); err != nil {
			return reply{}, fmt.Errorf("%s: %w", c, err)
		}
		got := s.attempt(ctx, c)
		if got.status == http.StatusUnauthorized && got.err == nil && s.tokens != nil && !renewed {
			s.tokens.drop() // revoked, or its expiry is seen differently by GitHub
			renewed = true
			continue
		}
		err, again := s.judge(c, got)
		if err == nil {
			return got.reply, nil
		}
		s.logFailure(ctx, c, n, err)
		if !again || n == maxAttempts || ctx.Err() != nil {
			return reply{}, err
		}
		if limit := new(RateLimited); errors.As(err, &limit) {
			continue // the limiter knows until when
		}
		if waitErr := s.clock.Wait(ctx, firstBackoff<<(n-1)); waitErr != nil {
			return reply{}, err
		}
	}
}

// attempt is what became of one try.
type attempt struct {
	reply
	err  error
	sent bool // GitHub may have received the request
}

// attempt sends c once and reads the whole answer.
func (s *sender) attempt(ctx context.Context, c call) attempt {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if s.tokens != nil {
		if r, err := s.tokens.ensure(ctx); err != nil {
			return attempt{reply: r, err: err}
		}
	}
	req, err := s.api.NewRequest(c.method, c.path, c.body)
	if err != nil {
		return attempt{err: err}
	}
	resp, err := s.http.Do(req.WithContext(ctx))
	if err != nil {
		return attempt{err: err, sent: !unsent(err)}
	}
	got := attempt{sent: true}
	got.reply, got.err = readReply(resp)
	s.log.DebugContext(ctx, "GitHub request", slog.String("request", c.String()), slog.Int("status", got.status),
		slog.String("remaining", got.header.Get("X-RateLimit-Remaining")))
	return got
}

// readReply reads and closes the body.
func readReply(resp *http.Response) (reply, error) {
	r := reply{status: resp.StatusCode, header: resp.Header}
	var err error
	r.body, err = io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err == nil && len(r.body) > maxResponse {
		err = fmt.Errorf("answer is larger than %d bytes", maxResponse)
	}
	return r, err
}

// unsent is whether the error arose before the request left: refused by pin, no token, no connection.
func unsent(err error) bool {
	var noToken *ghinstallation.HTTPError // it expired just now
	var op *net.OpError
	return errors.Is(err, ErrForeignHost) || errors.As(err, &noToken) || errors.As(err, &op) && op.Op == "dial"
}

// judge says whether a try succeeded, and if not, whether to try again.
func (s *sender) judge(c call, got attempt) (err error, again bool) {
	if got.status != 0 && s.limiter.observe(got.reply) {
		return fmt.Errorf("%s: %w", c, s.limiter.refusal()), true
	}
	var rejected *mintError
	switch {
	case errors.As(got.err, &rejected):
		return rejected, got.status == 0 || got.status >= http.StatusInternalServerError
	case errors.Is(got.err, ErrForeignHost), errors.Is(got.err, errRedirect):
		return fmt.Errorf("%s: %w", c, got.err), false
	case got.err != nil:
		return s.unanswered(c, got.sent, got.err)
	case got.status >= http.StatusInternalServerError:
		return s.unanswered(c, true, apiError(c.String(), got.reply))
	case got.status >= http.StatusMultipleChoices:
		return apiError(c.String(), got.reply), false
	case !c.bare && !json.Valid(got.body):
		return s.unanswered(c, true, &PayloadError{What: c.String(), Err: errors.New("the answer is not JSON")})
	}
	return nil, false
}

// unanswered is the error for a request without a usable answer. A write that is not repeatable is never sent twice.
func (s *sender) unanswered(c call, sent bool, cause error) (err error, again bool) {
	if c.write() && sent {
		return &Uncertain{Op: c.String(), Err: cause}, c.repeatable
	}
	return fmt.Errorf("%s: %w", c, cause), true
}

// logFailure notes a try that gave no good answer. That something is not there is nothing to worry about.
func (s *sender) logFailure(ctx context.Context, c call, n int, err error) {
	level := slog.LevelWarn
	if errors.Is(err, ErrNotFound) {
		level = slog.LevelDebug
	}
	s.log.LogAttrs(ctx, level, "GitHub request failed", slog.String("request", c.String()), slog.Int("attempt", n), slog.String("error", Redact(err.Error())))
}
