// Package schema says what an API server would do to an object that cannot be tried: one in a
// namespace that the same change creates, or a custom resource whose definition arrives or changes
// in the same change. Everything else is better asked of a real server by a dry run.
//
// It knows custom resource definitions ([ParseCRD]), the OpenAPI documents that a server publishes
// for its built-in kinds ([ParseOpenAPI]) and the Pod Security Standards ([PodSecurity]). It runs
// the libraries of Kubernetes that the API server is made of, in the order in which the API server
// runs them. It does not know clusters, files, clocks or logs, and it knows nothing of webhooks,
// admission policies, quotas or other objects: what it accepts, a server may still refuse. That is
// why results are shown as predicted offline.
//
// Objects are JSON values as encoding/json decodes them with UseNumber: map[string]any, []any,
// string, bool, json.Number and nil. Arguments are never modified, and results share nothing with
// them.
//
// Everything that is judged comes from an untrusted change. CEL expressions run under the cost
// limits of the API server, depth and size are bounded by [MaxDepth] and [MaxSize], and a panic of
// a library becomes an error.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

const (
	// MaxDepth is how deep maps and lists may nest in what this package judges. No real object or
	// definition comes near it, and the libraries recurse.
	MaxDepth = 200
	// MaxSize is how many bytes of JSON an object or definition may have: the API server refuses
	// larger requests (apiserver pkg/apis/cel MaxRequestSizeBytes).
	MaxSize = 3 << 20
)

var (
	// ErrTooLarge is for content beyond [MaxDepth], [MaxSize] or another limit of this package.
	ErrTooLarge = errors.New("too large to judge")
	// ErrNoSchema is for a version or kind of which nothing is known.
	ErrNoSchema = errors.New("no schema")
	// ErrConversion is for a custom resource that the server would send through a conversion
	// webhook before it stores it: nobody can say what comes back.
	ErrConversion = errors.New("needs a conversion webhook")
)

// Problem is why an API server would refuse an object. Message is what the libraries of Kubernetes
// say and quotes the offending value, so who shows it masks it; only for the kind Secret this
// package drops the value itself.
type Problem struct {
	Field   string // spec.replicas; empty for the object as a whole
	Message string
}

// Admission is what an API server would do with an object.
type Admission struct {
	// Object is what would be stored: coerced, pruned and defaulted, without what only a server
	// can give (metadata.uid, creationTimestamp, generation, resourceVersion, managedFields). It is
	// nil when there are problems.
	Object map[string]any
	// Pruned are the paths of the fields that the schema does not have, sorted. Writes other than
	// server-side apply lose them with a warning, and stored objects lose them with the next write.
	Pruned []string
	// Undeclared are the fields for which server-side apply refuses the object instead. With few
	// exceptions below x-kubernetes-preserve-unknown-fields they are those of Pruned, but the paths
	// are as server-side apply writes them: elements of list maps by their keys.
	Undeclared []string
	// Problems are why the object, without what is pruned, would be refused, in the order in which
	// the server names them.
	Problems []Problem
}

// Refusals are why server-side apply would refuse the object: the fields that are not declared,
// which it names before all else (apimachinery pkg/util/managedfields), and the problems.
func (a Admission) Refusals() []Problem {
	var out []Problem
	for _, path := range a.Undeclared {
		out = append(out, Problem{Field: path, Message: undeclared})
	}
	return append(out, a.Problems...)
}

// toServer copies JSON values into the form that the libraries of Kubernetes work on: numbers as
// int64 where they are whole and fit, else float64. 1.0 is whole, because server-side apply reads
// YAML (apimachinery pkg/util/yaml).
func toServer(content map[string]any) (map[string]any, error) {
	data, err := encode(content)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	if err := utiljson.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return whole(out).(map[string]any), nil
}

// whole turns whole floats into integers, in place.
func whole(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, child := range value {
			value[key] = whole(child)
		}
	case []any:
		for i, child := range value {
			value[i] = whole(child)
		}
	case float64:
		if value == math.Trunc(value) && math.Abs(value) < 1<<63 {
			return int64(value)
		}
	}
	return value
}

// fromServer is the inverse of toServer.
func fromServer(content map[string]any) (map[string]any, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	out := map[string]any{}
	if err := decoder.Decode(&out); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return out, nil
}

// encode is the JSON of content, if that is within the limits.
func encode(content map[string]any) ([]byte, error) {
	if content == nil {
		content = map[string]any{}
	}
	if !within(content, MaxDepth) {
		return nil, fmt.Errorf("deeper than %d levels: %w", MaxDepth, ErrTooLarge)
	}
	data, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%d bytes of JSON, more than %d: %w", len(data), MaxSize, ErrTooLarge)
	}
	return data, nil
}

// within says whether maps and lists nest at most depth levels.
func within(value any, depth int) bool {
	switch value := value.(type) {
	case map[string]any:
		for _, child := range value {
			if depth == 0 || !within(child, depth-1) {
				return false
			}
		}
	case []any:
		for _, child := range value {
			if depth == 0 || !within(child, depth-1) {
				return false
			}
		}
	}
	return true
}

// guard is the one place that turns a panic of the libraries into an error. They are written for
// input that a server has checked step by step; here they meet definitions that nobody has checked,
// and an API server, too, answers a panic with an error and lives on.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("kubernetes library: panic: %v", r)
		}
	}()
	return f()
}
