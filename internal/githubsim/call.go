package githubsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// object is a JSON object on its way out.
type object = map[string]any

// call is one REST request while it is handled; the server's lock is held.
type call struct {
	s    *Server
	r    *http.Request
	body []byte
	path map[string]string
	who  *principal
	repo *repository
	out  http.Header
}

// answer is what a handler returns: a status and a body, nil for none.
type answer struct {
	status int
	body   any
}

func ok(body any) answer      { return answer{http.StatusOK, body} }
func created(body any) answer { return answer{http.StatusCreated, body} }
func noContent() answer       { return answer{http.StatusNoContent, nil} }

const docs = "https://docs.github.com/rest"

func fail(code int, format string, args ...any) answer {
	return answer{code, object{"message": fmt.Sprintf(format, args...), "documentation_url": docs, "status": strconv.Itoa(code)}}
}

func notFound() answer { return fail(http.StatusNotFound, "Not Found") }

func broken(err error) answer {
	return fail(http.StatusInternalServerError, "githubsim: %v", err)
}

// fieldError is one entry of a validation error's list.
type fieldError struct {
	Resource string `json:"resource"`
	Code     string `json:"code"`
	Field    string `json:"field,omitempty"`
	Message  string `json:"message,omitempty"`
}

func invalid(errs ...fieldError) answer {
	list := make([]any, len(errs))
	for i, e := range errs {
		list[i] = e
	}
	return answer{http.StatusUnprocessableEntity, object{
		"message": "Validation Failed", "errors": list, "documentation_url": docs, "status": "422",
	}}
}

// decode reads the JSON body into v; the second result is false when the answer is the error to send.
func (c *call) decode(v any) (answer, bool) {
	if len(c.body) == 0 {
		return answer{}, true
	}
	err := json.Unmarshal(c.body, v)
	if err == nil {
		return answer{}, true
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return fail(http.StatusUnprocessableEntity, "Invalid request.\n\n%v", err), false
	}
	return fail(http.StatusBadRequest, "Problems parsing JSON"), false
}

func (c *call) id(name string) int64 {
	id, err := strconv.ParseInt(c.path[name], 10, 64)
	if err != nil {
		return -1 // no object has it: the handler answers 404
	}
	return id
}

func (c *call) query(name string) string { return c.r.URL.Query().Get(name) }

// page cuts a list to the page that was asked for and sets the Link header.
func page[T any](c *call, list []T) []T {
	per := bounded(c.query("per_page"), 30, 100)
	number := bounded(c.query("page"), 1, 1<<30)
	last := max((len(list)+per-1)/per, 1)
	c.link(number, last)
	from := min((number-1)*per, len(list))
	return list[from:min(from+per, len(list))]
}

func bounded(text string, fallback, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fallback
	}
	return min(n, most)
}

func (c *call) link(number, last int) {
	var links []string
	add := func(rel string, page int) {
		u := url.URL{Path: c.r.URL.Path}
		q := c.r.URL.Query()
		q.Set("page", strconv.Itoa(page))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s%s>; rel="%s"`, c.s.url, u.String(), rel))
	}
	if number > 1 {
		add("prev", number-1)
	}
	if number < last {
		add("next", number+1)
		add("last", last)
	}
	if number > 1 {
		add("first", 1)
	}
	if len(links) > 0 {
		c.out.Set("Link", strings.Join(links, ", "))
	}
}

// render maps a list of state to a list of JSON.
func render[T any](list []T, one func(T) object) []object {
	out := make([]object, 0, len(list))
	for _, v := range list {
		out = append(out, one(v))
	}
	return out
}
