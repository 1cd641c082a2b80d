package oracle

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// Oracle validates traffic for one test.
type Oracle struct {
	tb      testing.TB
	d       *description
	lenient bool
}

// Option changes how strict an Oracle is.
type Option func(*Oracle)

// AllowInvalidRequests is for tests of a simulator's limits: a request that violates the description is fine if it is
// refused with a 4xx, and fails the test if it is accepted.
func AllowInvalidRequests() Option { return func(o *Oracle) { o.lenient = true } }

// New loads the description for a test.
func New(tb testing.TB, options ...Option) *Oracle {
	tb.Helper()
	d, err := load()
	if err != nil {
		tb.Fatal(err)
	}
	o := &Oracle{tb: tb, d: d}
	for _, option := range options {
		option(o)
	}
	return o
}

// Wrap puts a new Oracle around a handler.
func Wrap(tb testing.TB, next http.Handler, options ...Option) http.Handler {
	tb.Helper()
	return New(tb, options...).Wrap(next)
}

// faultHeader marks answers that an injected fault made; they are not GitHub's and are not validated.
const faultHeader = "X-Githubsim-Fault"

// Wrap validates what goes into and comes out of a handler. Only REST is validated: git, GraphQL and pages pass.
func (o *Oracle) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, versioned := strings.CutPrefix(r.URL.EscapedPath(), "/api/v3")
		item, at, params := o.d.find(path)
		if item == nil || strings.HasPrefix(at, hookPrefix) {
			o.outside(w, r, next, versioned)
			return
		}
		o.inside(w, r, next, match{item: item, at: at, params: params})
	})
}

// outside lets a request pass that the description does not have; REST beyond it must not succeed.
func (o *Oracle) outside(w http.ResponseWriter, r *http.Request, next http.Handler, versioned bool) {
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(rec, r)
	if versioned && rec.status < 400 {
		o.tb.Errorf("%s %s: answered %d, but the operation is not in GitHub's description subset", r.Method, r.URL.Path, rec.status)
	}
}

type match struct {
	item   *openapi3.PathItem
	at     string
	params map[string]string
}

func (o *Oracle) inside(w http.ResponseWriter, r *http.Request, next http.Handler, m match) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		o.tb.Errorf("%s %s: read request: %v", r.Method, r.URL.Path, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := &recorder{ResponseWriter: w, status: http.StatusOK, keep: true}
	next.ServeHTTP(rec, r)
	op := m.item.GetOperation(r.Method)
	if op == nil {
		if rec.status < 400 {
			o.tb.Errorf("%s %s: answered %d, but GitHub's description has no such method", r.Method, r.URL.Path, rec.status)
		}
		return
	}
	input := o.input(r, m, op, body)
	err = openapi3filter.ValidateRequest(r.Context(), input)
	switch {
	case err == nil || o.excused(rec.status) || allowed("request "+r.Method+" "+m.at, err):
	default:
		o.tb.Errorf("%s %s: request violates GitHub's description: %v\n%.2000s", r.Method, r.URL.Path, brief(err), body)
	}
	if rec.Header().Get(faultHeader) == "" {
		o.response(r.Context(), input, rec)
	}
}

// excused tells whether an invalid request is what the test wants: it was refused.
func (o *Oracle) excused(status int) bool { return o.lenient && status >= 400 && status < 500 }

func (o *Oracle) input(r *http.Request, m match, op *openapi3.Operation, body []byte) *openapi3filter.RequestValidationInput {
	copied := r.Clone(r.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	if len(body) > 0 && copied.Header.Get("Content-Type") == "" {
		copied.Header.Set("Content-Type", "application/json")
	}
	return &openapi3filter.RequestValidationInput{
		Request: copied, PathParams: m.params,
		Route: &routers.Route{Spec: o.d.doc, Path: m.at, PathItem: m.item, Method: r.Method, Operation: op},
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true, IncludeResponseStatus: true,
		},
	}
}

func (o *Oracle) response(ctx context.Context, input *openapi3filter.RequestValidationInput, rec *recorder) {
	name := fmt.Sprintf("%s %s -> %d", input.Route.Method, input.Route.Path, rec.status)
	if rec.status == http.StatusNotModified && input.Route.Method == http.MethodGet {
		return // conditional requests work on every read, listed or not
	}
	if rec.status >= 400 && input.Route.Operation.Responses.Status(rec.status) == nil {
		if err := o.basicError(rec.body.Bytes()); err != nil {
			o.tb.Errorf("%s: %v\n%.2000s", name, err, rec.body.Bytes())
		}
		return
	}
	err := openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: rec.status, Header: rec.Header(),
		Body: io.NopCloser(bytes.NewReader(rec.body.Bytes())), Options: input.Options,
	})
	if err != nil && !allowed(name, err) {
		o.tb.Errorf("%s: response violates GitHub's description: %v\n%.4000s", name, brief(err), rec.body.Bytes())
	}
}

// basicError holds an error that an operation does not list to the general shape of errors.
func (o *Oracle) basicError(body []byte) error {
	schema := o.d.doc.Components.Schemas["basic-error"]
	value, err := decode(body)
	if err != nil {
		return err
	}
	return schema.Value.VisitJSON(value)
}

// Delivery validates one webhook: its headers and its payload.
func (o *Oracle) Delivery(event string, header http.Header, body []byte) {
	name := strings.ReplaceAll(event, "_", "-")
	if action := actionOf(body); action != "" {
		name += "-" + strings.ReplaceAll(action, "_", "-")
	}
	item := o.d.doc.Paths.Value(hookPrefix + name)
	if item == nil {
		o.tb.Errorf("webhook %s: GitHub's description subset has no such event", name)
		return
	}
	r := httptest.NewRequest(http.MethodPost, hookPrefix+name, bytes.NewReader(body))
	r.Header = header.Clone()
	m := match{item: item, at: hookPrefix + name}
	err := openapi3filter.ValidateRequest(r.Context(), o.input(r, m, item.Post, body))
	if err != nil && !allowed("webhook "+name, err) {
		o.tb.Errorf("webhook %s violates GitHub's description: %v\n%.6000s", name, brief(err), body)
	}
}

// recorder passes an answer through and keeps a copy of it.
type recorder struct {
	http.ResponseWriter
	status int
	keep   bool
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write keeps a copy of REST answers only: a clone may be large.
func (r *recorder) Write(p []byte) (int, error) {
	if r.keep {
		r.body.Write(p)
	}
	return r.ResponseWriter.Write(p)
}
