package oracle

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// template is one path of the description as a pattern.
type template struct {
	path    string
	names   []string
	pattern *regexp.Regexp
}

// spanning are the parameters that may hold slashes; the description cannot say so.
func spanning() []string { return []string{"ref", "basehead", "branch", "tree_sha"} }

// templates compiles all paths, those with more segments first, so that commits/{ref}/status wins over commits/{ref}.
func templates(doc *openapi3.T) []template {
	var out []template
	for path := range doc.Paths.Map() {
		out = append(out, compile(path))
	}
	slices.SortFunc(out, func(a, b template) int {
		return cmp.Or(
			-cmp.Compare(strings.Count(a.path, "/"), strings.Count(b.path, "/")),
			cmp.Compare(len(a.names), len(b.names)),
			cmp.Compare(a.path, b.path),
		)
	})
	return out
}

func compile(path string) template {
	t := template{path: path}
	var pattern strings.Builder
	pattern.WriteString("^")
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		name, isParam := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		switch {
		case !isParam:
			pattern.WriteString("/" + regexp.QuoteMeta(segment))
			continue
		case name == "path":
			pattern.WriteString("/(.*)") // empty at the root of a repository
		case slices.Contains(spanning(), name):
			pattern.WriteString("/(.+)")
		default:
			pattern.WriteString("/([^/]+)")
		}
		t.names = append(t.names, name)
	}
	pattern.WriteString("$")
	t.pattern = regexp.MustCompile(pattern.String())
	return t
}

// find matches an escaped path; the parameters come unescaped.
func (d *description) find(path string) (item *openapi3.PathItem, at string, params map[string]string) {
	for _, t := range d.paths {
		m := t.pattern.FindStringSubmatch(path)
		if m == nil {
			continue
		}
		params := map[string]string{}
		for i, name := range t.names {
			value, err := url.PathUnescape(m[i+1])
			if err != nil {
				value = m[i+1] // kept as it is; validation judges it
			}
			params[name] = cmp.Or(value, "/")
		}
		return d.doc.Paths.Value(t.path), t.path, params
	}
	return nil, "", nil
}
