package cluster_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/clustertest"
)

// server is an API server that is spoken to without client-go, by whatever request.
type server struct {
	base   string
	client *http.Client
}

func newServer(t *testing.T, c *clustertest.Cluster) *server {
	t.Helper()
	authority, err := os.ReadFile(filepath.Join(c.Dir, "ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	base := c.Kubectl(t, "", "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
	return &server{base: base, client: &http.Client{Transport: transport}}
}

// request is one of those that change something, or would.
type request struct {
	what    string // such as update deployments.apps/scale
	verb    string // as RBAC calls it
	method  string
	path    string
	content string // type of the body
	body    string
	dryRun  bool
}

// resource is one that the server lists, or a subresource of one.
type resource struct {
	group, version, name, sub string
	namespaced                bool
	kind                      string
	verbs                     []string
}

func (r resource) String() string {
	name := strings.TrimSuffix(r.name+"."+r.group, ".")
	if r.sub != "" {
		name += "/" + r.sub
	}
	return name
}

func (r resource) apiVersion() string { return strings.TrimPrefix(r.group+"/"+r.version, "/") }

// answer is a status and a body, which is a Status where something is refused.
type answer struct {
	code    int
	body    []byte
	message string
}

func (a answer) accepted() bool { return a.code < 300 }

func (s *server) send(t *testing.T, token string, r request, header ...string) answer {
	t.Helper()
	path := r.path
	if r.dryRun {
		u, err := url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("dryRun", "All")
		u.RawQuery = q.Encode()
		path = u.String()
	}
	req, err := http.NewRequestWithContext(t.Context(), r.method, s.base+path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if r.body != "" {
		req.Header.Set("Content-Type", r.content)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Message string }
	if json.Unmarshal(body, &status) != nil {
		status.Message = string(body)
	}
	return answer{code: resp.StatusCode, body: body, message: status.Message}
}

func (s *server) get(t *testing.T, token, path string, into any) {
	t.Helper()
	a := s.send(t, token, request{method: http.MethodGet, path: path})
	if !a.accepted() {
		t.Fatalf("get %s: %d %s", path, a.code, a.message)
	}
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatal(err)
	}
}

// resources are all that the server serves, in all versions.
func (s *server) resources(t *testing.T, token string) []resource {
	t.Helper()
	var groups struct {
		Groups []struct {
			Versions []struct{ GroupVersion string }
		}
	}
	s.get(t, token, "/apis", &groups)
	versions := []string{"v1"}
	for _, g := range groups.Groups {
		for _, v := range g.Versions {
			versions = append(versions, v.GroupVersion)
		}
	}
	var all []resource
	for _, v := range versions {
		var list struct {
			Resources []struct {
				Name, Kind string
				Namespaced bool
				Verbs      []string
			}
		}
		group, version := "", v
		if before, after, ok := strings.Cut(v, "/"); ok {
			group, version = before, after
		}
		s.get(t, token, resource{group: group, version: version}.root(), &list)
		for _, r := range list.Resources {
			name, sub, _ := strings.Cut(r.Name, "/")
			all = append(all, resource{group: group, version: version, name: name, sub: sub, namespaced: r.Namespaced, kind: r.Kind, verbs: r.Verbs})
		}
	}
	return all
}

func (r resource) root() string {
	if r.group == "" {
		return "/api/" + r.version
	}
	return "/apis/" + r.group + "/" + r.version
}

func (r resource) collection(namespace string) string {
	if r.namespaced {
		return r.root() + "/namespaces/" + namespace + "/" + r.name
	}
	return r.root() + "/" + r.name
}

// everything is the state of all objects: their resource versions. What the server itself does, and
// writes down, has no part in it.
func (s *server) everything(t *testing.T, token string) map[string]string {
	t.Helper()
	state := map[string]string{}
	for _, r := range s.resources(t, token) {
		if r.sub != "" || !slices.Contains(r.verbs, "list") || r.name == "events" || r.name == "componentstatuses" {
			continue
		}
		for _, o := range s.list(t, token, r) {
			metadata := o["metadata"].(map[string]any)
			if namespace := text(metadata["namespace"]); r.name != "leases" || namespace == "kinds" {
				state[r.String()+" "+r.version+" "+namespace+"/"+text(metadata["name"])] = text(metadata["resourceVersion"])
			}
		}
	}
	return state
}

func (s *server) list(t *testing.T, token string, r resource) []map[string]any {
	t.Helper()
	var list struct{ Items []map[string]any }
	s.get(t, token, r.root()+"/"+r.name, &list)
	return list.Items
}

// sample is the object of a resource that requests are about; nil where there is none.
func (s *server) sample(t *testing.T, token string, r resource) map[string]any {
	t.Helper()
	if r.name == "componentstatuses" || !slices.Contains(r.verbs, "list") {
		return nil
	}
	found := s.list(t, token, r)
	for _, o := range found {
		metadata := o["metadata"].(map[string]any)
		ours := strings.HasPrefix(text(metadata["name"]), "sample") || text(metadata["name"]) == "kinds"
		if ours && (!r.namespaced || metadata["namespace"] == "kinds") {
			return o
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[0]
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func encode(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// twin is an object like another one, of another name, as it is created.
func twin(r resource, o map[string]any) map[string]any {
	var c map[string]any
	if err := json.Unmarshal([]byte(encode(o)), &c); err != nil {
		panic(err)
	}
	metadata, name := c["metadata"].(map[string]any), text(o["metadata"].(map[string]any)["name"])
	spec, _ := c["spec"].(map[string]any)
	c["apiVersion"], c["kind"] = r.apiVersion(), r.kind
	renamed := map[string]any{"name": name + "-twin"}
	if namespace, ok := metadata["namespace"]; ok {
		renamed["namespace"] = namespace
	}
	switch r.name {
	case "customresourcedefinitions":
		spec["group"] = "twins.example.com"
		renamed["name"] = "samples.twins.example.com"
	case "apiservices":
		spec["group"], spec["version"] = "twins.example.com", "v1"
		renamed["name"] = "v1.twins.example.com"
	case "ipaddresses":
		renamed["name"] = "10.96.9.10"
	case "events":
		c["eventTime"], c["action"] = "2026-01-01T00:00:00.000000Z", "Sample"
		c["reportingInstance"] = "sample"
		if delete(c, "reportingController"); r.group == "" {
			c["reportingComponent"] = "example.com/sample"
		} else {
			c["reportingController"] = "example.com/sample"
		}
		for _, old := range []string{"source", "deprecatedSource", "firstTimestamp", "deprecatedFirstTimestamp", "lastTimestamp", "deprecatedLastTimestamp", "count", "deprecatedCount"} {
			delete(c, old)
		}
	case "services":
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
	case "jobs":
		delete(spec, "selector")
		delete(spec["template"].(map[string]any), "metadata")
	}
	c["metadata"] = renamed
	delete(c, "status")
	return c
}

// labelled is an object with one label more.
func labelled(r resource, o map[string]any) map[string]any {
	c := maps.Clone(o)
	c["apiVersion"], c["kind"] = r.apiVersion(), r.kind
	metadata := maps.Clone(c["metadata"].(map[string]any))
	labels, _ := metadata["labels"].(map[string]any)
	labels = maps.Clone(labels)
	if labels == nil {
		labels = map[string]any{}
	}
	labels["touched"] = "yes"
	metadata["labels"] = labels
	c["metadata"] = metadata
	return c
}
