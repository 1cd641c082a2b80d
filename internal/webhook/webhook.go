// Package webhook receives GitHub's webhook deliveries: it authenticates each one, has it saved, and answers.
// It knows GitHub's delivery headers and signature, and the three fields of a payload by which deliveries are found again.
// It must not know what an event means, what is done with it, or how it is stored.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"
)

// Path is where deliveries are received.
const Path = "/webhook"

const (
	// maxBody is the largest payload that GitHub sends: an event with a larger one is not delivered at all.
	maxBody = 25 << 20
	// largeBody is where a body starts to count against largeBudget, which bounds the memory that large bodies take
	// together. They then wait for each other; ordinary deliveries, which are far smaller, never wait for them.
	largeBody   = 1 << 20
	largeBudget = 8 * maxBody
	largeWait   = 5 * time.Second
	// saveTimeout leaves room within the ten seconds after which GitHub calls a delivery failed.
	saveTimeout = 8 * time.Second
)

// Config is what a Receiver needs.
type Config struct {
	// Secrets are the webhook secrets that are accepted; more than one while a secret is being rotated.
	Secrets [][]byte
	// Save makes the delivery durable before it returns. It reports whether a delivery with this GUID was already there;
	// such a delivery must not be stored or worked on a second time.
	Save func(ctx context.Context, d Delivery) (duplicate bool, err error)
	// Logger is told of every delivery, never of its content; nil discards.
	Logger *slog.Logger
}

// Receiver answers deliveries. It is safe for concurrent use.
type Receiver struct {
	secrets [][]byte
	save    func(ctx context.Context, d Delivery) (bool, error)
	log     *slog.Logger
	memory  *semaphore.Weighted
}

// New returns a receiver. Without a secret, or with an empty one, anybody could forge deliveries, so that is an error.
func New(cfg Config) (*Receiver, error) {
	if len(cfg.Secrets) == 0 {
		return nil, errors.New("configure webhook: no secret: set the one that the GitHub App has")
	}
	for i, secret := range cfg.Secrets {
		if len(secret) == 0 {
			return nil, fmt.Errorf("configure webhook: secret %d of %d is empty: remove it or set it", i+1, len(cfg.Secrets))
		}
	}
	if cfg.Save == nil {
		return nil, errors.New("configure webhook: nothing to save deliveries with")
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Receiver{secrets: cfg.Secrets, save: cfg.Save, log: log, memory: semaphore.NewWeighted(largeBudget)}, nil
}

// Register adds POST /webhook to e.
func (r *Receiver) Register(e *echo.Echo) {
	e.POST(Path, r.receive)
}

// Handler serves nothing but POST /webhook.
func (r *Receiver) Handler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	r.Register(e)
	return e
}

// receive authenticates one delivery and has it saved before it is accepted. The answers say nothing that would help to
// forge one; the log has the reason.
func (r *Receiver) receive(c echo.Context) error {
	req := c.Request()
	release, err := r.reserve(req)
	if err != nil {
		r.log.WarnContext(req.Context(), "webhook refused", slog.String("reason", err.Error()), slog.String("remote", req.RemoteAddr))
		return c.String(http.StatusServiceUnavailable, "busy, redeliver later\n")
	}
	defer release()
	d, status, err := read(r.secrets, c.Response(), req)
	log := r.log.With(slog.String("delivery", d.GUID), slog.String("event", d.Event))
	if err != nil {
		log.WarnContext(req.Context(), "webhook refused", slog.Int("status", status), slog.String("reason", err.Error()), slog.String("remote", req.RemoteAddr))
		return c.String(status, http.StatusText(status)+"\n")
	}
	log = log.With(slog.String("action", d.Action), slog.Int64("installation", d.InstallationID), slog.Int64("repository", d.RepositoryID))
	if d.Event == "ping" {
		log.InfoContext(req.Context(), "webhook ping")
		return c.String(http.StatusOK, "pong\n")
	}
	ctx, cancel := context.WithTimeout(req.Context(), saveTimeout)
	defer cancel()
	duplicate, err := r.save(ctx, d)
	if err != nil {
		log.ErrorContext(req.Context(), "webhook not saved", slog.Any("error", err))
		return c.String(http.StatusServiceUnavailable, "not saved, redeliver later\n")
	}
	log.InfoContext(req.Context(), "webhook saved", slog.Bool("duplicate", duplicate), slog.Int("bytes", len(d.Body)))
	return c.String(http.StatusAccepted, "accepted\n")
}

// read returns the authenticated delivery, or the status to refuse it with and why.
func read(secrets [][]byte, w http.ResponseWriter, req *http.Request) (Delivery, int, error) {
	d, status, err := fromHeader(req)
	if err != nil {
		return d, status, err
	}
	want, err := signature(req.Header)
	if err != nil {
		return d, http.StatusUnauthorized, err
	}
	d.Body, status, err = readBody(w, req)
	if err != nil {
		return d, status, err
	}
	if !signedBy(secrets, d.Body, want) {
		return d, http.StatusUnauthorized, errors.New("signature does not match any secret")
	}
	d.sniff()
	return d, 0, nil
}

// token is what names of events and delivery GUIDs consist of.
var token = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// fromHeader reads what the header says and refuses what cannot be a delivery before any of the body is read.
func fromHeader(req *http.Request) (Delivery, int, error) {
	var d Delivery
	if req.ContentLength > maxBody {
		return d, http.StatusRequestEntityTooLarge, fmt.Errorf("body of %d bytes", req.ContentLength)
	}
	if !isJSON(req.Header.Get(echo.HeaderContentType)) {
		return d, http.StatusUnsupportedMediaType, errors.New("content type is not application/json: set it in the GitHub App's webhook settings")
	}
	event, guid := req.Header.Get("X-GitHub-Event"), req.Header.Get("X-GitHub-Delivery")
	if !token.MatchString(event) {
		return d, http.StatusBadRequest, errors.New("X-GitHub-Event is missing or malformed")
	}
	d.Event = event
	if !token.MatchString(guid) {
		return d, http.StatusBadRequest, errors.New("X-GitHub-Delivery is missing or malformed")
	}
	d.GUID, d.Header = guid, kept(req.Header)
	return d, 0, nil
}
