package live

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/mergegate/mergegate/internal/kube"
)

// manyNamespaces is from how many namespaces on a kind is listed in all of them at once.
const manyNamespaces = 20

// listing is what is to be read of one kind.
type listing struct {
	kind kube.Kind
	rows map[string][]*row // by namespace/name
}

func place(namespace, name string) string { return namespace + "/" + name }

// read finds the live object of each row: one LIST for each kind and namespace, or for each kind.
func (p *predictor) read(ctx context.Context) {
	byKind := map[kube.Kind]*listing{}
	for _, r := range p.rows {
		if !r.resolved || r.settled() {
			continue
		}
		l := byKind[r.kind]
		if l == nil {
			l = &listing{kind: r.kind, rows: map[string][]*row{}}
			byKind[r.kind] = l
		}
		at := place(r.id.Namespace, r.id.Name)
		l.rows[at] = append(l.rows[at], r)
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, l := range byKind {
		group.Go(func() error { p.readKind(ctx, l); return nil })
	}
	_ = group.Wait() // none of them returns an error
}

func (p *predictor) readKind(ctx context.Context, l *listing) {
	namespaces := l.namespaces()
	if len(namespaces) > manyNamespaces {
		err := p.readInto(ctx, l, "")
		if err == nil || failure(err).Code != http.StatusForbidden {
			l.failed("", err)
			return
		}
	}
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, namespace := range namespaces {
		group.Go(func() error { l.failed(namespace, p.readInto(ctx, l, namespace)); return nil })
	}
	_ = group.Wait() // none of them returns an error
}

func (l *listing) namespaces() []string {
	var all []string
	for _, rows := range l.rows {
		all = append(all, rows[0].id.Namespace)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *predictor) readInto(ctx context.Context, l *listing, namespace string) error {
	found, err := p.api.List(ctx, l.kind, namespace, func(namespace, name string) bool {
		return l.rows[place(namespace, name)] != nil
	})
	if err != nil {
		return err
	}
	for _, object := range found {
		metadata := fields(object, "metadata")
		for _, r := range l.rows[place(text(metadata["namespace"]), text(metadata["name"]))] {
			r.live = object
		}
	}
	return nil
}

// failed settles the rows of a namespace, or of all where it is empty, that could not be read. That
// something may not be read does not mean that it is not there.
func (l *listing) failed(namespace string, err error) {
	if err == nil {
		return
	}
	reason, settle := err.Error(), (*row).unknown
	if failure(err).Code == http.StatusUnprocessableEntity { // no name of a namespace
		settle = (*row).rejected
	}
	if failure(err).Code == http.StatusForbidden {
		reason = fmt.Sprintf("mergegate may not list %s%s: grant it, or see deploy/ for what it needs", l.kind, inNamespace(namespace))
	}
	for _, rows := range l.rows {
		for _, r := range rows {
			if namespace == "" || r.id.Namespace == namespace {
				settle(r, reason)
			}
		}
	}
}

func inNamespace(namespace string) string {
	if namespace == "" {
		return ""
	}
	return " in namespace " + namespace
}

// fields walks keys of maps; nil where there is no map.
func fields(v any, keys ...string) map[string]any {
	for _, key := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	m, _ := v.(map[string]any) // nil where there is none
	return m
}

func text(v any) string {
	s, _ := v.(string) // empty where there is none
	return s
}

func items(v any) []any {
	list, _ := v.([]any) // nil where there is none
	return list
}

// once computes a value for each key once, however many ask for it at the same time.
type once[T any] struct {
	mu    sync.Mutex
	calls map[string]func() (T, error)
}

func (o *once[T]) get(key string, compute func() (T, error)) (T, error) {
	o.mu.Lock()
	if o.calls == nil {
		o.calls = map[string]func() (T, error){}
	}
	call, ok := o.calls[key]
	if !ok {
		call = sync.OnceValues(compute)
		o.calls[key] = call
	}
	o.mu.Unlock()
	return call()
}

// sortedRows are rows in the order of what they are about.
func sortedRows(rows []*row) []*row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b *row) int { return cmp.Or(a.id.Compare(b.id)) })
	return rows
}
