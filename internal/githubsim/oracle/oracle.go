// Package oracle holds a simulator of GitHub to GitHub's own OpenAPI description: every request, every response and
// every webhook is validated, and a violation fails the test.
//
// It knows the description and HTTP. It must not know the simulator: any http.Handler can be wrapped. It is for tests.
package oracle

import (
	"bytes"
	"compress/gzip"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed testdata/openapi-subset.json.gz
var subset []byte

// hookPrefix is where the description's webhooks are put among its paths, so that one router serves both.
const hookPrefix = "/_webhooks/"

// description is the loaded document with its paths in matching order.
type description struct {
	doc   *openapi3.T
	paths []template
}

// load reads the embedded description once per process: it takes about two seconds.
var load = sync.OnceValues(func() (*description, error) {
	text, err := unpack()
	if err != nil {
		return nil, fmt.Errorf("load GitHub's description: %w", err)
	}
	loader := openapi3.NewLoader()
	loader.Context = context.Background()
	doc, err := loader.LoadFromData(text)
	if err != nil {
		return nil, fmt.Errorf("load GitHub's description: %w", err)
	}
	return &description{doc: doc, paths: templates(doc)}, nil
})

// unpack moves the x-webhooks, which the loader does not resolve, among the paths.
func unpack() ([]byte, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(subset))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(zipped)
	if err != nil {
		return nil, err
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	var paths, hooks map[string]json.RawMessage
	if err := json.Unmarshal(doc["paths"], &paths); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(doc["x-webhooks"], &hooks); err != nil {
		return nil, err
	}
	for name, hook := range hooks {
		paths[hookPrefix+name] = hook
	}
	delete(doc, "x-webhooks")
	doc["servers"] = json.RawMessage(`[{"url":"/"}]`)
	if doc["paths"], err = json.Marshal(paths); err != nil {
		return nil, err
	}
	return json.Marshal(doc)
}
