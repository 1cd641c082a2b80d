package config

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Glob matches directories of a repository. In it `*` stands for any part of one path segment, `?`
// for one character of it and `**`, as a whole segment, for any number of segments, none included:
// `**` matches every directory, also the root, and `apps/**` matches apps and all below it. What a
// `*` or `**` stood for is a capture, numbered from 1. The zero Glob matches nothing.
type Glob struct {
	pattern string
	expr    *regexp.Regexp
}

// ParseGlob reads a pattern.
func ParseGlob(pattern string) (Glob, error) {
	clean, err := cleanPath(pattern)
	if err != nil {
		return Glob{}, err
	}
	if strings.ContainsAny(clean, `[]{}\`) {
		return Glob{}, fmt.Errorf("%q: a pattern knows `*`, `**` and `?` only", pattern)
	}
	if strings.Count(clean, "*") > 40 {
		return Glob{}, fmt.Errorf("%q has too many wildcards", pattern)
	}
	expr, err := globExpression(clean)
	if err != nil {
		return Glob{}, fmt.Errorf("%q: %w", pattern, err)
	}
	compiled, err := regexp.Compile(expr)
	if err != nil {
		return Glob{}, fmt.Errorf("compile pattern %q: %w", pattern, err)
	}
	return Glob{pattern: clean, expr: compiled}, nil
}

// globExpression is the pattern as a regular expression over paths in which the root is empty.
func globExpression(pattern string) (string, error) {
	if pattern == "." {
		return `^$`, nil
	}
	var b strings.Builder
	b.WriteString(`^`)
	slash := "" // what separates the segment from what is written so far
	segments := strings.Split(pattern, "/")
	for i, segment := range segments {
		switch {
		case segment == "**" && len(segments) == 1:
			b.WriteString(`(.*)`)
		case segment == "**" && i == 0:
			b.WriteString(`(?:(.+)/)?`)
			continue // its slash is part of it
		case segment == "**":
			b.WriteString(`(?:/(.+))?`)
		case strings.Contains(segment, "**"):
			return "", errors.New("`**` must be a whole path segment")
		default:
			b.WriteString(slash + segmentExpression(segment))
		}
		slash = "/"
	}
	b.WriteString(`$`)
	return b.String(), nil
}

func segmentExpression(segment string) string {
	if segment == "*" {
		return `([^/]+)`
	}
	quoted := regexp.QuoteMeta(segment)
	quoted = strings.ReplaceAll(quoted, `\*`, `([^/]*)`)
	return strings.ReplaceAll(quoted, `\?`, `[^/]`)
}

// Match says whether the directory matches and what the wildcards stood for. The root is ".".
func (g Glob) Match(dir string) (captures []string, ok bool) {
	if g.expr == nil {
		return nil, false
	}
	if dir == "." {
		dir = ""
	}
	m := g.expr.FindStringSubmatch(dir)
	if m == nil {
		return nil, false
	}
	return m[1:], true
}

// MatchUnder says whether the directory or one that it is in matches.
func (g Glob) MatchUnder(dir string) bool {
	for {
		if _, ok := g.Match(dir); ok {
			return true
		}
		if dir == "." {
			return false
		}
		dir = path.Dir(dir)
	}
}

// Literal says that the pattern has no wildcard: it names one directory.
func (g Glob) Literal() bool { return g.expr != nil && !strings.ContainsAny(g.pattern, "*?") }

// Captures is how many captures a match has.
func (g Glob) Captures() int {
	if g.expr == nil {
		return 0
	}
	return g.expr.NumSubexp()
}

// String is the pattern, cleaned.
func (g Glob) String() string { return g.pattern }

// Equal compares patterns.
func (g Glob) Equal(other Glob) bool { return g.pattern == other.pattern }

// Template is a text with placeholders: {1}, {2}, ... are the captures of a Glob, {path} is the
// directory that matched. The zero Template is empty.
type Template struct{ text string }

// ParseTemplate reads a template for a Glob with that many captures.
func ParseTemplate(text string, captures int) (Template, error) {
	var bad error
	rest := placeholder.ReplaceAllStringFunc(text, func(p string) string {
		name := p[1 : len(p)-1]
		if name == "path" {
			return ""
		}
		if n, err := strconv.Atoi(name); err != nil || n < 1 {
			bad = fmt.Errorf("%s is no placeholder, write {1}, {2}, ... or {path}", p)
		} else if n > captures {
			bad = fmt.Errorf("%s refers to wildcard %d, the path has %d", p, n, captures)
		}
		return ""
	})
	if bad == nil && strings.ContainsAny(rest, "{}") {
		bad = fmt.Errorf("%q has a brace without its counterpart", text)
	}
	if bad != nil {
		return Template{}, bad
	}
	return Template{text: text}, nil
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// Expand fills in the placeholders.
func (t Template) Expand(dir string, captures []string) string {
	return placeholder.ReplaceAllStringFunc(t.text, func(p string) string {
		name := p[1 : len(p)-1]
		if name == "path" {
			return dir
		}
		if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= len(captures) {
			return captures[n-1]
		}
		return p
	})
}

// String is the template as written.
func (t Template) String() string { return t.text }

// Equal compares the texts.
func (t Template) Equal(other Template) bool { return t.text == other.text }

// cleanPath makes a path of the repository canonical: slash-separated, relative to the root, "." for
// the root itself.
func cleanPath(p string) (string, error) {
	switch {
	case p == "":
		return "", errors.New("the path is empty, write . for the root")
	case len(p) > 1000:
		return "", errors.New("the path is longer than 1000 bytes")
	case strings.HasPrefix(p, "/"):
		return "", fmt.Errorf("%q is absolute: paths are relative to the root of the repository", p)
	case strings.Contains(p, `\`):
		return "", fmt.Errorf("%q contains a backslash: paths use /", p)
	}
	for segment := range strings.SplitSeq(p, "/") {
		if segment == ".." {
			return "", fmt.Errorf("%q leaves its directory: write the path from the root of the repository", p)
		}
	}
	return path.Clean(p), nil
}
