package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/client-go/rest"

	"github.com/mergegate/mergegate/internal/kube"
)

// pageSize is how many objects a server is asked for at once, as kubectl does.
const pageSize = "500"

// resourcePath is where the objects of a kind are; namespace is empty for all of them.
func resourcePath(k kube.Kind, namespace string) []string {
	path := []string{"/apis", k.Group, k.Version}
	if k.Group == "" {
		path = []string{"/api", k.Version}
	}
	if namespace != "" {
		path = append(path, "namespaces", namespace)
	}
	return append(path, k.Resource)
}

// objectPath is where an object is. Names come from manifests, and what is no name must not lead
// elsewhere: an API server takes none of these either (apimachinery pkg/api/validate/content).
func objectPath(k kube.Kind, namespace, name string) ([]string, error) {
	for _, segment := range []string{namespace, name} {
		if problems := content.IsPathSegmentName(segment); len(problems) > 0 {
			return nil, &kube.Failure{Code: http.StatusUnprocessableEntity, Reason: "Invalid", Message: fmt.Sprintf("%q is no name: it %s", segment, strings.Join(problems, ", it "))}
		}
	}
	if name == "" {
		return resourcePath(k, namespace), nil
	}
	return append(resourcePath(k, namespace), name), nil
}

// List reads the objects of a kind in a namespace, or in all where it is empty, page by page. It
// decodes those that are wanted by namespace and name; nil wants all. Numbers are json.Number. The
// state is the newest: the server reads it from its watch cache where it can prove that to be fresh.
// Errors are *kube.Failure.
func (c *Cluster) List(ctx context.Context, k kube.Kind, namespace string, wanted func(namespace, name string) bool) ([]map[string]any, error) {
	var found []map[string]any
	place, err := objectPath(k, namespace, "")
	if err != nil {
		return nil, err
	}
	next, restarted := "", false
	for {
		a, err := c.send(ctx, func() *rest.Request {
			return c.client.Get().AbsPath(place...).Param("limit", pageSize).Param("continue", next).
				SetHeader("Accept", "application/json")
		})
		var failure *kube.Failure
		if errors.As(err, &failure) && failure.Code == http.StatusGone && next != "" && !restarted {
			found, next, restarted = nil, "", true // the page's snapshot was compacted away: from the start
			continue
		}
		if err != nil {
			return nil, err
		}
		page, err := decodePage(a.body, k, wanted)
		if err != nil {
			return nil, err
		}
		found = append(found, page.items...)
		switch page.next {
		case "":
			return found, nil
		case next:
			return nil, garbled(errAnother) // the page after this one is this one
		}
		next = page.next
	}
}

type page struct {
	items []map[string]any
	next  string
}

// decodePage decodes the wanted items of a list. Items of a list carry no kind of their own.
func decodePage(body []byte, k kube.Kind, wanted func(namespace, name string) bool) (page, error) {
	var list struct {
		APIVersion, Kind string
		Metadata         struct{ Continue string }
		Items            []json.RawMessage
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return page{}, garbled(err)
	}
	if list.APIVersion != k.APIVersion() || list.Kind == "" || list.Kind == k.Kind { // a list without objects is an answer, {} is none
		return page{}, garbled(errAnother)
	}
	p := page{next: list.Metadata.Continue}
	for _, raw := range list.Items {
		var head struct {
			Metadata struct{ Namespace, Name string }
		}
		if wanted != nil {
			if err := json.Unmarshal(raw, &head); err != nil {
				return page{}, garbled(err)
			}
			if !wanted(head.Metadata.Namespace, head.Metadata.Name) {
				continue
			}
		}
		item, err := decode(raw)
		if err != nil {
			return page{}, err
		}
		item["apiVersion"], item["kind"] = k.APIVersion(), k.Kind
		p.items = append(p.items, item)
	}
	return p, nil
}

// decode reads one object. Numbers keep their text.
func decode(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		return nil, garbled(err)
	}
	if object == nil {
		return nil, garbled(errAnother)
	}
	return object, nil
}

// OpenAPI is the OpenAPI v3 document of a group version, such as apps/v1 or v1.
func (c *Cluster) OpenAPI(ctx context.Context, apiVersion string) ([]byte, error) {
	root := "apis"
	if apiVersion == "v1" {
		root = "api"
	}
	a, err := c.send(ctx, func() *rest.Request {
		return c.client.Get().AbsPath("/openapi/v3", root, apiVersion).SetHeader("Accept", "application/json")
	})
	return a.body, err
}
