package schema

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/mergegate/mergegate/internal/clustertest"
)

func TestMain(m *testing.M) { os.Exit(clustertest.Main(m)) }

// server is a real API server, over plain HTTP.
type server struct {
	client *http.Client
	host   string
}

func startServer(t *testing.T) *server {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", clustertest.Start(t).Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return &server{client: client, host: config.Host}
}

// do is one request. The answer is JSON as this package takes it.
func (s *server) do(t *testing.T, method, path string, body map[string]any) (int, map[string]any) {
	t.Helper()
	code, data := s.raw(t, method, path, body)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var out map[string]any
	if err := decoder.Decode(&out); err != nil {
		t.Fatalf("%s %s: %v in %.300s", method, path, err, data)
	}
	return code, out
}

func (s *server) raw(t *testing.T, method, path string, body map[string]any) (int, []byte) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, s.host+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/apply-patch+yaml")
	} else {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// apply is server-side apply of an object to its path.
func (s *server) apply(t *testing.T, path string, object map[string]any, query string) (int, map[string]any) {
	t.Helper()
	return s.do(t, http.MethodPatch, path+"?fieldManager=test&force=true"+query, object)
}

// tried is what a dry run of an object gives: nil and why, when it is refused.
func (s *server) tried(t *testing.T, path string, object map[string]any) (map[string]any, string) {
	t.Helper()
	code, answer := s.apply(t, path, object, "&dryRun=All")
	if code >= 300 {
		reason, _ := answer["message"].(string)
		return nil, reason
	}
	clearSystem(answer)
	return answer, ""
}

// until waits for a state of the server.
func until(t *testing.T, what string, reached func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within 30 s", what)
		case <-tick.C:
		}
	}
}

// install creates a definition and waits until its resources are served.
func (s *server) install(t *testing.T, definition map[string]any, d *Definition) {
	t.Helper()
	name := d.Plural() + "." + d.Group()
	code, answer := s.apply(t, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+name, definition, "")
	if code >= 300 {
		t.Fatalf("install %s: %v", name, answer["message"])
	}
	for _, version := range d.Versions() {
		until(t, name, func() bool {
			code, _ := s.raw(t, http.MethodGet, "/apis/"+d.Group()+"/"+version+"/"+d.Plural(), nil)
			return code == http.StatusOK
		})
	}
}

// path is where an object of a definition lives.
func (d *Definition) path(version, name string) string {
	parts := []string{"/apis", d.Group(), version}
	if d.Namespaced() {
		parts = append(parts, "namespaces", "default")
	}
	return strings.Join(append(parts, d.Plural(), name), "/")
}
