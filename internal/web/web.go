// Package web serves the pages that people reach from a check run: a plan in full. They are read
// only. A page is reached by the unguessable token of its plan, which only stands in the checks and
// the comment of its pull request: who can read the pull request can read the plan.
//
// It knows HTTP. What a page says is made elsewhere.
package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"

	"github.com/labstack/echo/v4"
)

// ErrNotFound is what Pages returns for a token that it does not know.
var ErrNotFound = errors.New("no such plan")

// Config is what the pages are made of.
type Config struct {
	// Page returns the HTML of the plan with this token, or [ErrNotFound].
	Page func(ctx context.Context, token string) ([]byte, error)
	// Ready says why the server cannot work, or nil.
	Ready  func(ctx context.Context) error
	Logger *slog.Logger
}

var token = regexp.MustCompile(`^[A-Za-z0-9_-]{16,128}$`)

// Register adds GET /plans/:token, /healthz and /readyz.
func Register(e *echo.Echo, cfg Config) {
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(c echo.Context) error {
		if err := cfg.Ready(c.Request().Context()); err != nil {
			cfg.Logger.ErrorContext(c.Request().Context(), "not ready", slog.Any("error", err))
			return c.String(http.StatusServiceUnavailable, "not ready\n")
		}
		return c.String(http.StatusOK, "ready\n")
	})
	e.GET("/plans/:token", cfg.plan)
}

// plan answers with one plan. The page holds what people wrote into manifests: no script may run in
// it, nothing may be loaded, no other site may frame it or learn its address.
func (cfg Config) plan(c echo.Context) error {
	header := c.Response().Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Cache-Control", "private, no-store")
	if !token.MatchString(c.Param("token")) {
		return c.String(http.StatusNotFound, "no such plan\n")
	}
	page, err := cfg.Page(c.Request().Context(), c.Param("token"))
	switch {
	case errors.Is(err, ErrNotFound):
		return c.String(http.StatusNotFound, "no such plan\n")
	case err != nil:
		cfg.Logger.ErrorContext(c.Request().Context(), "plan page failed", slog.Any("error", err))
		return c.String(http.StatusInternalServerError, "the plan cannot be read now; try again later\n")
	}
	return c.HTMLBlob(http.StatusOK, page)
}
