package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/mergegate/mergegate/internal/pull"
)

// get reads one object.
func get[T any](ctx context.Context, s *sender, path string) (T, error) {
	return exchange[T](ctx, s, call{method: http.MethodGet, path: path})
}

// exchange sends c and decodes the answer. A write whose answer cannot be decoded has happened, but as what is not
// known, which makes it uncertain.
func exchange[T any](ctx context.Context, s *sender, c call) (T, error) {
	var none T
	r, err := s.do(ctx, c)
	if err != nil {
		return none, err
	}
	v, err := decode[T](c.String(), r.body)
	if err != nil && c.write() {
		return none, &Uncertain{Op: c.String(), Err: err}
	}
	return v, err
}

// list reads all pages of an array, or of the array that is an object's member key.
func list[T any](ctx context.Context, s *sender, path, key string) ([]T, error) {
	var all []T
	err := pages(ctx, s, path, func(body []byte) (bool, error) {
		if key != "" {
			object, err := decode[map[string]json.RawMessage]("GET /"+path, body)
			if err != nil {
				return false, err
			}
			body = object[key]
		}
		page, err := decode[[]T]("GET /"+path, body)
		all = append(all, page...)
		return true, err
	})
	return all, err
}

// mostPages is far beyond what any list that is read here can have; a server that links in circles ends there.
const mostPages = 1000

// pages reads pages until there is none or more says that it has enough.
func pages(ctx context.Context, s *sender, path string, more func(body []byte) (bool, error)) error {
	base, _, _ := strings.Cut(path, "?")
	for range mostPages {
		r, err := s.do(ctx, call{method: http.MethodGet, path: path})
		if err != nil {
			return err
		}
		again, err := more(r.body)
		if err != nil || !again {
			return err
		}
		next := nextQuery(r.header)
		if next == "" {
			return nil
		}
		path = base + "?" + next
	}
	return fmt.Errorf("GET /%s: more than %d pages", base, mostPages)
}

// nextQuery is the query of the next page's address in the Link header. Only the query is used, so that no answer can
// send us elsewhere.
func nextQuery(h http.Header) string {
	for _, link := range strings.Split(strings.Join(h.Values("Link"), ","), ",") {
		address, params, ok := strings.Cut(strings.TrimSpace(link), ">")
		if !ok || !strings.Contains(params, `rel="next"`) {
			continue
		}
		u, err := url.Parse(strings.TrimPrefix(address, "<"))
		if err == nil {
			return u.RawQuery
		}
	}
	return ""
}

// repoPath is a path below a repository. Its parts are escaped, so that a branch or a login cannot lead elsewhere.
func repoPath(repo pull.Repository, parts ...string) string {
	escaped := []string{"repos", url.PathEscape(repo.Owner), url.PathEscape(repo.Name)}
	for _, part := range parts {
		escaped = append(escaped, escapePart(part))
	}
	return strings.Join(escaped, "/")
}

// escapePart escapes one part of a path, dots that would climb out of it included.
func escapePart(part string) string {
	if strings.Trim(part, ".") == "" {
		return strings.ReplaceAll(part, ".", "%2E")
	}
	return url.PathEscape(part)
}

// checkRepository refuses values of which no path can be made.
func checkRepository(repo pull.Repository) error {
	if !isName(repo.Owner) || !isName(repo.Name) {
		return fmt.Errorf("repository %q without a valid owner and name", repo.FullName())
	}
	return nil
}

// escapeRef escapes the parts of a branch's name between its slashes.
func escapeRef(branch string) string {
	parts := strings.Split(branch, "/")
	for i, part := range parts {
		parts[i] = escapePart(part)
	}
	return strings.Join(parts, "/")
}
