package live

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/clustertest"
	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/manifest"
)

// world is a real API server, with the eyes of mergegate and with hands of its own.
type world struct {
	api    API
	client *http.Client
	host   string
	dir    string

	mu    sync.Mutex
	kinds *kube.Server
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := clustertest.New(t, clustertest.Options{ControlPlaneOnly: true})
	clusters, err := cluster.FromKubeconfig(c.Kubeconfig, "", cluster.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	api, err := clusters.Open(clusters.Resolve(""))
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{api: api, client: client, host: config.Host, dir: c.Dir}
	w.discover(t)
	return w
}

// discover learns which kinds are served.
func (w *world) discover(t *testing.T) {
	t.Helper()
	found, err := w.api.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kinds = found
}

// reply is what the server answers to a write or a read.
type reply struct {
	code   int
	object map[string]any // or the Status
}

func (r reply) ok() bool { return r.code < 300 }

// failure is what the server says, as mergegate has it.
func (r reply) failure() *kube.Failure {
	f := &kube.Failure{Code: r.code}
	for _, c := range items(fields(r.object, "details")["causes"]) {
		f.Causes = append(f.Causes, kube.Cause{Field: text(fields(c)["field"])})
	}
	return f
}

// causes says whether the server names fields.
func (r reply) causes() bool {
	for _, c := range items(fields(r.object, "details")["causes"]) {
		if text(fields(c)["field"]) != "" {
			return true
		}
	}
	return false
}

func (w *world) do(ctx context.Context, method, path, query string, body any) (reply, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return reply{}, err
	}
	if body == nil {
		data = nil
	}
	request, err := http.NewRequestWithContext(ctx, method, w.host+path+query, bytes.NewReader(data))
	if err != nil {
		return reply{}, err
	}
	switch {
	case method == http.MethodPatch && strings.HasPrefix(query, "?merge"):
		request.Header.Set("Content-Type", "application/merge-patch+json")
	case method == http.MethodPatch:
		request.Header.Set("Content-Type", "application/apply-patch+yaml")
	default:
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := w.client.Do(request)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	out := reply{code: response.StatusCode}
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	if err := d.Decode(&out.object); err != nil {
		out.object = map[string]any{"message": string(answer)}
	}
	return out, nil
}

// must is a request that has to succeed.
func (w *world) must(t *testing.T, method, path, query string, body any) map[string]any {
	t.Helper()
	r, err := w.do(t.Context(), method, path, query, body)
	if err != nil {
		t.Fatal(err)
	}
	if !r.ok() {
		t.Fatalf("%s %s: %d %v", method, path, r.code, r.object["message"])
	}
	return r.object
}

// path is where an object belongs; empty where the server does not have its kind.
func (w *world) path(object map[string]any) (collection, name string) {
	id := identityOf(object)
	w.mu.Lock()
	k, ok := w.kinds.Find(id)
	w.mu.Unlock()
	if !ok && strings.HasSuffix(id.Group, ".defines.example.com") {
		k, ok = kube.Kind{Resource: "gadgets", Namespaced: true}, true
	}
	if !ok {
		return "/apis/" + id.APIVersion() + "/nothing", id.Name
	}
	root := "/apis/" + id.APIVersion()
	if id.Group == "" {
		root = "/api/" + id.Version
	}
	if k.Namespaced {
		if id.Namespace == "" {
			id.Namespace = "default"
		}
		root += "/namespaces/" + id.Namespace
	}
	return root + "/" + k.Resource, id.Name
}

func (w *world) apply(ctx context.Context, manager string, object map[string]any) (reply, error) {
	collection, name := w.path(object)
	return w.do(ctx, http.MethodPatch, collection+"/"+name, "?fieldManager="+manager+"&force=true", object)
}

// get is the live object, nil where there is none.
func (w *world) get(ctx context.Context, object map[string]any) (map[string]any, error) {
	collection, name := w.path(object)
	r, err := w.do(ctx, http.MethodGet, collection+"/"+name, "", nil)
	if err != nil || r.code == http.StatusNotFound {
		return nil, err
	}
	if !r.ok() {
		return nil, fmt.Errorf("GET %s/%s: %d %v", collection, name, r.code, r.object["message"])
	}
	return r.object, nil
}

// remove deletes an object and waits until it is gone: without controllers nobody takes the finalizers
// away that Kubernetes itself sets.
func (w *world) remove(ctx context.Context, object map[string]any) (reply, error) {
	collection, name := w.path(object)
	path := collection + "/" + name
	query := "?propagationPolicy=Background"
	if object["kind"] == "Pod" {
		query += "&gracePeriodSeconds=0"
	}
	deleted, err := w.do(ctx, http.MethodDelete, path, query, nil)
	if err != nil || !deleted.ok() {
		return deleted, err
	}
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		live, err := w.get(ctx, object)
		if err != nil || live == nil {
			return deleted, err
		}
		switch {
		case object["kind"] == "Namespace":
			put(live, []string{"spec", "finalizers"}, gone)
			_, err = w.do(ctx, http.MethodPut, path+"/finalize", "", live)
		case object["kind"] != "CustomResourceDefinition" && len(items(fields(live, "metadata")["finalizers"])) > 0:
			_, err = w.do(ctx, http.MethodPatch, path, "?merge", map[string]any{"metadata": map[string]any{"finalizers": nil}})
		}
		if err != nil {
			return deleted, err
		}
	}
	return deleted, fmt.Errorf("%s is deleted and stays", path)
}

// happen lets a history happen, and gives the live object that comes of it.
func (w *world) happen(ctx context.Context, s specimen, history []step, of map[string]any) (map[string]any, error) {
	for _, h := range history {
		if err := w.step(ctx, s, h, of); err != nil {
			return nil, err
		}
	}
	if len(history) == 0 {
		return nil, nil
	}
	return w.get(ctx, of)
}

func (w *world) step(ctx context.Context, s specimen, h step, of map[string]any) (err error) {
	collection, name := w.path(of)
	path, manager := collection+"/"+name, "?fieldManager="+h.manager
	switch h.how {
	case "apply":
		if _, err = w.apply(ctx, h.manager, kube.Prepare(h.object)); err != nil {
			return err
		}
		return w.established(ctx, of)
	case "create":
		object := manifest.Clone(h.object).(map[string]any)
		text, err := json.Marshal(object)
		if err != nil {
			return err
		}
		put(object, []string{"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"}, string(text))
		if _, err = w.do(ctx, http.MethodPost, collection, manager, object); err != nil {
			return err
		}
		return w.established(ctx, of)
	case "scale":
		path += "/scale"
	case "delete":
		_, err = w.remove(ctx, of)
		return err
	}
	for range 10 { // controllers inside the API server write too
		r, err := w.do(ctx, http.MethodGet, path, "", nil)
		if err != nil || !r.ok() {
			return err
		}
		object := r.object
		switch h.how {
		case "scale":
			put(object, []string{"spec", "replicas"}, 1+h.seed%5)
		case "status":
			put(object, []string{"status", "observedGeneration"}, 1+h.seed%5)
			put(object, []string{"status", "replicas"}, 1)
			r, err = w.do(ctx, http.MethodPut, path+"/status", manager, object)
		case "edit":
			g := newGen(h.seed, 0)
			g.number = h.number
			object = g.change(s, object)
		}
		if h.how != "status" {
			r, err = w.do(ctx, http.MethodPut, path, manager, object)
		}
		if err != nil || r.code != http.StatusConflict {
			return err
		}
	}
	return nil
}

// established waits until a definition is in force: before that its names may change.
func (w *world) established(ctx context.Context, object map[string]any) error {
	if object["kind"] != "CustomResourceDefinition" {
		return nil
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		live, err := w.get(ctx, object)
		if err != nil || live == nil {
			return err
		}
		for _, c := range items(fields(live, "status")["conditions"]) {
			kind, status := fields(c)["type"], fields(c)["status"]
			if kind == "Established" && status == "True" || kind == "NamesAccepted" && status == "False" {
				return nil
			}
		}
	}
	return fmt.Errorf("%v is not established within 20 s", fields(object, "metadata")["name"])
}

// until waits for a state of the server.
func (w *world) until(t *testing.T, what string, reached func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !reached() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
		w.must(t, http.MethodGet, "/version", "", nil)
	}
}
