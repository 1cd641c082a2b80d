package render

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/mergegate/mergegate/internal/manifest"
)

// wireLimits is the pool's hello: what the worker may use.
type wireLimits struct {
	Memory int64
	Output int64
}

// wireRequest is a [Request] without its tree, and the queries of Locate.
type wireRequest struct {
	Path    string
	Type    string
	Files   []string          `json:",omitempty"`
	Objects []manifest.Object `json:",omitempty"` // what the queries are about
	Queries []wireQuery       `json:",omitempty"`
}

// wireQuery is a [Query] about an object of the request.
type wireQuery struct {
	Object  int
	Pointer string
}

// addQueries puts each object that the queries are about into the request once.
func (r *wireRequest) addQueries(queries []Query) {
	known := map[manifest.ID]int{}
	for _, q := range queries {
		i, ok := known[q.Object.ID]
		if !ok {
			i = len(r.Objects)
			known[q.Object.ID] = i
			r.Objects = append(r.Objects, q.Object)
		}
		r.Queries = append(r.Queries, wireQuery{Object: i, Pointer: q.Pointer})
	}
}

// wireResult is a worker's answer.
type wireResult struct {
	Objects   json.RawMessage      `json:",omitempty"` // []manifest.Object
	Inputs    []string             `json:",omitempty"`
	Skipped   []string             `json:",omitempty"`
	Locations []*manifest.Location `json:",omitempty"`
	Error     *Error               `json:",omitempty"`
	Probe     string               `json:",omitempty"`
}

// entryKind is what stands at a path of a tree.
type entryKind byte

const (
	entryAbsent entryKind = iota
	entryFile
	entryDir
	entryLink
	entryOther // a submodule or another thing that cannot be read
)

// entry is one name of a directory listing.
type entry struct {
	Name   string
	Kind   entryKind
	Target string `json:",omitempty"` // of a link
}

// encodeObjects is the set as JSON, or an error when that is over the budget.
func encodeObjects(set manifest.Set, budget int64) (json.RawMessage, error) {
	var out bytes.Buffer
	out.WriteByte('[')
	for i, object := range set {
		if i > 0 {
			out.WriteByte(',')
		}
		data, err := json.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", object.ID, err)
		}
		out.Write(data)
		if int64(out.Len()) > budget {
			return nil, outputError(budget)
		}
	}
	out.WriteByte(']')
	return out.Bytes(), nil
}

// decodeObjects is the inverse of encodeObjects, numbers kept as they are written.
func decodeObjects(data json.RawMessage) (manifest.Set, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var set manifest.Set
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&set); err != nil {
		return nil, fmt.Errorf("decode objects: %w", err)
	}
	return set, nil
}

func outputError(budget int64) *Error {
	return &Error{Class: ClassOutput, Message: fmt.Sprintf("renders to more than %s of objects, the budget of one application: split the application or raise the output budget", size(budget))}
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
