package githubsim

import (
	"net/url"
	"strings"
)

// route is one REST operation with who may call it.
type route struct {
	method  string
	pattern string
	need    need
	handle  func(*call) answer
}

// router matches paths whose parameters may span segments, such as a branch in the middle of a path.
type router struct {
	routes []compiled
}

type compiled struct {
	route
	segments []string
}

func newRouter(routes []route) *router {
	r := &router{}
	for _, one := range routes {
		r.routes = append(r.routes, compiled{one, strings.Split(strings.Trim(one.pattern, "/"), "/")})
	}
	return r
}

// find returns the route and its parameters. A path that exists for other methods gives found without a route.
func (r *router) find(method, escapedPath string) (found *route, params map[string]string) {
	var segments []string
	for _, segment := range strings.Split(strings.Trim(escapedPath, "/"), "/") {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return nil, nil
		}
		segments = append(segments, text)
	}
	for i := range r.routes {
		one := &r.routes[i]
		if one.method != method {
			continue
		}
		params := map[string]string{}
		if match(one.segments, segments, params) {
			return &one.route, params
		}
	}
	return nil, nil
}

// match binds a pattern; {name...} takes one or more segments, as few as possible.
func match(pattern, path []string, params map[string]string) bool {
	if len(pattern) == 0 {
		return len(path) == 0
	}
	if len(path) == 0 {
		return pattern[0] == "{path...}" && len(pattern) == 1
	}
	name, isParam := strings.CutPrefix(pattern[0], "{")
	if !isParam {
		return pattern[0] == path[0] && match(pattern[1:], path[1:], params)
	}
	name = strings.TrimSuffix(name, "}")
	many, isMany := strings.CutSuffix(name, "...")
	if !isMany {
		params[name] = path[0]
		return path[0] != "" && match(pattern[1:], path[1:], params)
	}
	for n := 1; n <= len(path); n++ {
		if match(pattern[1:], path[n:], params) {
			params[many] = strings.Join(path[:n], "/")
			return true
		}
	}
	return false
}
