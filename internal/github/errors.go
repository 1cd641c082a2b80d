package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What an APIError can be, for errors.Is.
var (
	ErrUnauthorized = errors.New("GitHub does not accept our credentials") // 401
	ErrForbidden    = errors.New("GitHub refused permission")              // 403, not for a limit; or no token for it
	ErrNotFound     = errors.New("not found on GitHub, or not ours to see")
	ErrConflict     = errors.New("conflicts with the state on GitHub") // 409
	ErrInvalid      = errors.New("GitHub rejected the content")        // 422
	ErrSuspended    = errors.New("the installation is suspended")
	ErrUnavailable  = errors.New("GitHub had an internal error") // 5xx
)

// APIError is an answer of GitHub that says no.
type APIError struct {
	Op         string // method and path
	Status     int
	Message    string // GitHub's, without secrets
	Permission string // what GitHub says the request needs (X-Accepted-GitHub-Permissions)
	RequestID  string // for GitHub's support
}

func (e *APIError) Error() string {
	text := fmt.Sprintf("%s: GitHub answered %d: %s", e.Op, e.Status, e.Message)
	if e.Permission != "" && e.Status == http.StatusForbidden {
		text += " (needs permission " + e.Permission + ")"
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// Is makes an APIError the sentinel error of its status.
func (e *APIError) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.Status == http.StatusUnauthorized
	case ErrForbidden:
		// No token with a permission that was not granted, or is not any more, is made.
		return e.Status == http.StatusForbidden || strings.HasSuffix(e.Op, "access_tokens") && e.Status == http.StatusUnprocessableEntity
	case ErrNotFound:
		return e.Status == http.StatusNotFound || e.Status == http.StatusGone
	case ErrConflict:
		return e.Status == http.StatusConflict
	case ErrInvalid:
		return e.Status == http.StatusUnprocessableEntity
	case ErrSuspended:
		return e.Status == http.StatusForbidden && strings.Contains(strings.ToLower(e.Message), "suspended")
	case ErrUnavailable:
		return e.Status >= http.StatusInternalServerError
	}
	return false
}

func apiError(op string, r reply) *APIError {
	return &APIError{
		Op: op, Status: r.status, Message: Redact(r.message()),
		Permission: r.header.Get("X-Accepted-GitHub-Permissions"), RequestID: r.header.Get("X-GitHub-Request-Id"),
	}
}

// message is what an error's body says, at most a few hundred bytes of it.
func (r reply) message() string {
	var body struct {
		Message string          `json:"message"`
		Errors  json.RawMessage `json:"errors"`
	}
	if json.Unmarshal(r.body, &body) != nil || body.Message == "" {
		return http.StatusText(r.status)
	}
	text := body.Message
	if details := string(body.Errors); details != "" && details != "null" {
		text += ": " + details
	}
	const most = 500
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

// RateLimited says that GitHub wants no requests of this installation, or none of the App itself, before Until. Nothing
// was changed by the call.
type RateLimited struct {
	Until  time.Time
	Reason string
}

func (e *RateLimited) Error() string {
	return fmt.Sprintf("GitHub limits our requests until %s: %s", e.Until.UTC().Format(time.RFC3339), e.Reason)
}

// Uncertain says that a write may or may not have happened: the answer was lost, or GitHub failed while it worked.
// The caller must look before it writes again.
type Uncertain struct {
	Op  string
	Err error
}

func (e *Uncertain) Error() string {
	return fmt.Sprintf("%s: may or may not have been done: %v", e.Op, e.Err)
}

// Unwrap is the cause.
func (e *Uncertain) Unwrap() error { return e.Err }

// PayloadError says that a webhook payload or a response does not have the fields that are needed, or not in the form
// that is known.
type PayloadError struct {
	What string // event name or request
	Err  error
}

func (e *PayloadError) Error() string { return fmt.Sprintf("decode %s: %v", e.What, e.Err) }

// Unwrap is the cause.
func (e *PayloadError) Unwrap() error { return e.Err }
