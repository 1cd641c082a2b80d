package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/mergegate/mergegate/internal/web"
)

func TestPages(t *testing.T) {
	const known, broken = "known-token-0123456789", "broken-token-0123456789"
	var ready error
	e := echo.New()
	web.Register(e, web.Config{
		Page: func(_ context.Context, token string) ([]byte, error) {
			switch token {
			case known:
				return []byte("<p>the plan</p>"), nil
			case broken:
				return nil, errors.New("database password hunter2 refused")
			}
			return nil, web.ErrNotFound
		},
		Ready:  func(context.Context) error { return ready },
		Logger: slog.New(slog.DiscardHandler),
	})
	get := func(path string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return rec
	}
	for path, want := range map[string]int{
		"/plans/" + known: 200, "/plans/" + broken: 500, "/plans/" + known + "x": 404, "/plans/short": 404,
		"/plans/..%2f..%2fetc%2fpasswd": 404, "/healthz": 200, "/readyz": 200,
	} {
		rec := get(path)
		if rec.Code != want {
			t.Errorf("GET %s: %d, want %d", path, rec.Code, want)
		}
		if strings.Contains(rec.Body.String(), "hunter2") {
			t.Errorf("GET %s shows an internal error: %s", path, rec.Body)
		}
		if strings.HasPrefix(path, "/plans/") && !strings.Contains(rec.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET %s has no content security policy", path)
		}
	}
	ready = errors.New("database is gone")
	if rec := get("/readyz"); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("GET /readyz of a server that is not ready: %d", rec.Code)
	}
}
