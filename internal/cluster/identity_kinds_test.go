package cluster_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

const (
	jsonBody  = "application/json"
	merge     = "application/merge-patch+json"
	strategic = "application/strategic-merge-patch+json"
	jsonPatch = "application/json-patch+json"
	apply     = "application/apply-patch+yaml"
)

// writes are the requests by which something of a resource could be changed, each so that the server
// would take it if only it may be sent: about objects that there are, with bodies that are valid.
func (s *server) writes(t *testing.T, token string, r resource) []request {
	t.Helper()
	parent := r
	parent.sub = ""
	if r.sub != "" {
		parent.verbs = []string{"list"}
		if r.name == "horizontalpodautoscalers" && r.version == "v1" {
			parent.kind = r.kind
		}
	}
	sample := s.sample(t, token, parent)
	switch {
	case r.sub != "" && sample == nil:
		t.Errorf("%s: there is no object to try it on: add one to testdata/kinds.yaml", r)
		return nil
	case r.sub != "":
		return s.subresource(t, token, r, sample)
	case sample == nil:
		return s.creatable(t, r)
	}
	metadata := sample["metadata"].(map[string]any)
	in := r.collection(text(metadata["namespace"]))
	at := in + "/" + text(metadata["name"])
	fresh := twin(r, sample)
	patch := fmt.Sprintf(`{"apiVersion":%q,"kind":%q,"metadata":{"labels":{"touched":"yes"}}}`, r.apiVersion(), r.kind)
	add := fmt.Sprintf(`[{"op":"add","path":"/metadata/labels","value":%s}]`, encode(labelled(r, sample)["metadata"].(map[string]any)["labels"]))
	all := []request{
		{verb: "create", method: http.MethodPost, path: in, content: jsonBody, body: encode(fresh)},
		{verb: "update", method: http.MethodPut, path: at, content: jsonBody, body: encode(labelled(r, sample))},
		{verb: "patch", what: "merge", method: http.MethodPatch, path: at, content: merge, body: patch},
		{verb: "patch", what: "strategic", method: http.MethodPatch, path: at, content: strategic, body: patch},
		{verb: "patch", what: "json", method: http.MethodPatch, path: at, content: jsonPatch, body: add},
		{verb: "patch", what: "apply", method: http.MethodPatch, path: at + "?fieldManager=test&force=true", content: apply, body: patch},
		{
			verb: "patch", what: "create by apply", method: http.MethodPatch, content: apply, body: encode(fresh),
			path: in + "/" + text(fresh["metadata"].(map[string]any)["name"]) + "?fieldManager=test&force=true",
		},
		{verb: "delete", method: http.MethodDelete, path: at},
		{verb: "deletecollection", method: http.MethodDelete, path: in},
	}
	return served(r, all)
}

// served are the requests whose verb the resource has, named. Custom resources have no strategic merge.
func served(r resource, all []request) []request {
	return slices.DeleteFunc(all, func(q request) bool {
		return !slices.Contains(r.verbs, q.verb) || q.content == strategic && r.group == "example.com"
	})
}

// creatable are the requests of resources whose objects are not kept.
func (s *server) creatable(t *testing.T, r resource) []request {
	t.Helper()
	attributes := map[string]any{"namespace": "kinds", "verb": "get", "resource": "configmaps"}
	bodies := map[string]map[string]any{
		"bindings":                  {"metadata": map[string]any{"name": "sample"}, "target": map[string]any{"kind": "Node", "name": "sample"}},
		"selfsubjectreviews":        {},
		"tokenreviews":              {"spec": map[string]any{"token": "none"}},
		"localsubjectaccessreviews": {"metadata": map[string]any{"namespace": "kinds"}, "spec": map[string]any{"user": "a", "resourceAttributes": attributes}},
		"selfsubjectaccessreviews":  {"spec": map[string]any{"resourceAttributes": attributes}},
		"selfsubjectrulesreviews":   {"spec": map[string]any{"namespace": "kinds"}},
		"subjectaccessreviews":      {"spec": map[string]any{"user": "a", "resourceAttributes": attributes}},
	}
	body, ok := bodies[r.name]
	if !ok {
		if r.name != "componentstatuses" { // which nobody can write
			t.Errorf("%s: there is no object to try it on: add one to testdata/kinds.yaml", r)
		}
		return nil
	}
	body["apiVersion"], body["kind"] = r.apiVersion(), r.kind
	return []request{{verb: "create", method: http.MethodPost, path: r.collection("kinds"), content: jsonBody, body: encode(body)}}
}

// subresource are the requests of a subresource.
func (s *server) subresource(t *testing.T, token string, r resource, sample map[string]any) []request {
	t.Helper()
	metadata := sample["metadata"].(map[string]any)
	name := text(metadata["name"])
	at := r.collection(text(metadata["namespace"])) + "/" + name + "/" + r.sub
	post := func(body string) []request {
		return []request{{verb: "create", method: http.MethodPost, path: at, content: jsonBody, body: body}}
	}
	switch r.sub {
	case "log":
		return nil // only reads
	case "exec", "attach", "portforward", "proxy":
		return connects(r, at)
	case "token":
		return post(`{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}`)
	case "binding":
		return post(fmt.Sprintf(`{"apiVersion":"v1","kind":"Binding","metadata":{"name":%q},"target":{"kind":"Node","name":"sample"}}`, name))
	case "eviction":
		return post(fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":%q}}`, name))
	}
	content := sample
	body := `{"metadata":{"annotations":{"touched":"yes"}}}`
	if slices.Contains(r.verbs, "get") {
		s.get(t, token, at, &content)
	} else {
		content["apiVersion"], content["kind"] = r.apiVersion(), r.kind
	}
	switch r.sub {
	case "scale":
		body = `{"spec":{"replicas":3}}`
	case "resize", "ephemeralcontainers":
		body = `{}`
	}
	return served(r, []request{
		{verb: "update", method: http.MethodPut, path: at, content: jsonBody, body: encode(content)},
		{verb: "patch", what: "merge", method: http.MethodPatch, path: at, content: merge, body: body},
		{verb: "patch", what: "json", method: http.MethodPatch, path: at, content: jsonPatch, body: `[{"op":"test","path":"/metadata/name","value":` + encode(name) + `}]`},
	})
}

// connects are requests that open a connection through the server to something else.
func connects(r resource, at string) []request {
	if r.sub != "proxy" {
		at += "?command=true&stdin=true&stdout=true&ports=80&container=a"
	}
	methods := map[string]string{
		"get": http.MethodGet, "create": http.MethodPost, "update": http.MethodPut, "patch": http.MethodPatch, "delete": http.MethodDelete,
	}
	var all []request
	for _, verb := range r.verbs {
		all = append(all, request{verb: verb, method: methods[verb], path: at})
	}
	return all
}
