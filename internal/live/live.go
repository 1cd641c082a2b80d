// Package live says what an API server would do to the objects of a change, on two axes that never
// mix: what the change does, and what is different in the cluster already.
//
// The story is [Predict]: read what is live, by one LIST per kind; find out for which objects there is
// anything to ask; ask the server, by dry runs of what mergegate would apply; what cannot be asked, say
// from the schema; tell apart. Whatever is not known is Unknown, with the reason, and never "no change".
//
// It speaks to a server through [API] only. What it reads are clear objects, and it keeps them to
// itself: a [Prediction] shows nothing before it is masked, by [Prediction.Results].
package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// API is one API server. All of it only reads. Errors are *kube.Failure. It is safe for concurrent use.
type API interface {
	// Discover says what the server serves.
	Discover(context.Context) (*kube.Server, error)
	// List reads the objects of a kind that are wanted, in a namespace or, where it is empty, in all.
	List(ctx context.Context, k kube.Kind, namespace string, wanted func(namespace, name string) bool) ([]map[string]any, error)
	// Try asks by a dry run what would become of an object.
	Try(context.Context, kube.Attempt) (kube.Outcome, error)
	// May says whether the identity in use may do something.
	May(context.Context, kube.Access) (bool, error)
	// OpenAPI is the OpenAPI v3 document of a group version.
	OpenAPI(ctx context.Context, apiVersion string) ([]byte, error)
}

// Row is one object on both sides of a change. A side that does not have it is nil.
type Row = diff.Pair

// Options bound a prediction.
type Options struct {
	// Deadline is for a whole cluster; 0: two minutes. What is not known by then is Unknown.
	Deadline time.Duration
	// Cache keeps answers of servers between predictions; nil: none are kept.
	Cache *Cache
	// Name tells clusters apart in the cache.
	Name string
}

// Masker takes secrets out of objects and texts, as diff.Masker does.
type Masker interface {
	Learn(...manifest.Set)
	Set(manifest.Set) manifest.Set
	Text(string) string
	Value(string) string
}

// Predict says what a server would do to each object when the proposed state is applied to it. It
// returns an answer for every row, whatever fails: that is what Unknown is for.
func Predict(ctx context.Context, api API, rows []Row, o Options) *Prediction {
	if o.Deadline == 0 {
		o.Deadline = 2 * time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, o.Deadline)
	defer cancel()
	p := &predictor{api: api, options: o, rows: make([]*row, len(rows))}
	for i := range rows {
		p.rows[i] = newRow(rows[i])
	}
	server, err := api.Discover(ctx)
	if err != nil {
		return p.silent(err)
	}
	p.server = server
	p.resolve()
	p.read(ctx)
	p.definitions(ctx) // first, since they decide how custom resources are judged
	p.each(p.rows, func(r *row) { p.judge(ctx, r) })
	p.quotas(ctx)
	p.bounds()
	p.existing(ctx)
	p.each(p.rows, func(r *row) { p.consequences(ctx, r) })
	return &Prediction{rows: p.rows, server: server}
}

// Silent is the prediction of a cluster that cannot be asked, for the reason given.
func Silent(rows []Row, reason error) *Prediction {
	p := &predictor{rows: make([]*row, len(rows))}
	for i := range rows {
		p.rows[i] = newRow(rows[i])
	}
	return p.silent(reason)
}

// silent is the prediction of a server that does not say what it serves.
func (p *predictor) silent(err error) *Prediction {
	reason := err.Error()
	for _, r := range p.rows {
		r.unknown(reason)
	}
	return &Prediction{rows: p.rows, err: reason}
}

// predictor is one prediction in the making.
type predictor struct {
	api     API
	options Options
	server  *kube.Server
	rows    []*row

	namespaces map[string]map[string]string // labels of the namespaces that the change creates, by name
	incoming   map[string]*row              // the namespaces that the change has, by name
	crds       map[string]*definition       // what the change does to definitions, by group kind
	arriving   map[string]bool              // names of new objects on which admission of others depends
	docs       documents
	access     once[bool]
	limits     once[bool] // whether a namespace has LimitRanges
}

// row is one object on its way.
type row struct {
	in       Row
	id       manifest.ID // as the cluster has it; of the proposed state, else of base
	kind     kube.Kind
	resolved bool

	base, head map[string]any // as they are sent; nil: absent
	live       map[string]any // as the server has it; nil: it has none

	// What the server would hold after base and after the proposed state was applied.
	afterBase, afterHead map[string]any
	baseUnknown          string // why afterBase is not known

	result  plan.Result // empty while it is not known
	reason  string
	fault   bool
	offline bool
	cascade []plan.Cascade
	invalid []string
	notes   []string
}

func newRow(in Row) *row {
	r := &row{in: in}
	of := in.Head
	if of == nil {
		of = in.Base
	}
	r.id = of.ID
	if in.Head != nil {
		r.head = kube.Prepare(in.Head.Content)
	}
	if in.Base != nil && in.Base.ID.Key() == of.ID.Key() {
		r.base = kube.Prepare(in.Base.Content)
		r.base["apiVersion"] = of.ID.APIVersion() // the server converts; both are compared in one version
	} else if in.Base != nil {
		r.note("The former object of the generated name is pruned.")
	}
	return r
}

func (r *row) unknown(reason string) { r.result, r.reason, r.fault = plan.Unknown, reason, true }
func (r *row) rejected(reason string) {
	r.result, r.reason, r.fault = plan.Rejected, reason, false
}

func (r *row) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(r.notes, text) {
		r.notes = append(r.notes, text)
	}
}

func (r *row) settled() bool { return r.result != "" }

// unchanged says that the change leaves the object alone.
func (r *row) unchanged() bool {
	return r.base != nil && r.head != nil && diff.Equal(r.base, r.head)
}

// parallel is how many rows are in work; how many requests are, the adapter decides.
const parallel = 32

// each works on rows, several at a time. Each function touches its own row only.
func (p *predictor) each(rows []*row, work func(*row)) {
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, r := range rows {
		group.Go(func() error { work(r); return nil })
	}
	_ = group.Wait() // none of them returns an error
}

// resolve finds out how the server serves the kind of each row, and where the object belongs.
func (p *predictor) resolve() {
	incoming := map[string]bool{}
	for _, r := range p.rows {
		if isCRD(r.id) && r.head != nil {
			incoming[crdTarget(r.head)] = true
		}
	}
	for _, r := range p.rows {
		kind, ok := p.server.Find(r.id)
		if ok {
			r.place(kind)
			continue
		}
		if incoming[r.id.Group+"/"+r.id.Kind] && r.head != nil {
			continue // judged by the definition that arrives
		}
		p.unserved(r)
	}
}

// place settles the namespace of an object: one that needs none has none, and one that names none is
// in default.
func (r *row) place(kind kube.Kind) {
	r.kind, r.resolved = kind, true
	switch {
	case !kind.Namespaced:
		r.id.Namespace = ""
	case r.id.Namespace == "":
		r.id.Namespace = "default"
	}
	for _, object := range []map[string]any{r.base, r.head} {
		metadata, ok := object["metadata"].(map[string]any)
		if !ok {
			continue
		}
		if kind.Namespaced {
			metadata["namespace"] = r.id.Namespace
		} else {
			delete(metadata, "namespace")
		}
	}
}

// unserved settles a row whose kind the server does not have.
func (p *predictor) unserved(r *row) {
	version := r.id.APIVersion()
	if why, silent := p.server.Silent[version]; silent {
		r.unknown(version + " is served by an API that does not answer: " + why)
		return
	}
	if r.head == nil {
		r.result, r.reason = plan.NoEffect, "The cluster does not serve "+r.id.Kind+" in "+version+": there is nothing to delete."
		return
	}
	if other, ok := p.server.Any(r.id.Group, r.id.Kind); ok {
		r.rejected(fmt.Sprintf("The cluster does not serve %s in %s, but in %s.", r.id.Kind, version, other.APIVersion()))
		return
	}
	r.rejected(fmt.Sprintf("The cluster has no kind %s in %s, and this change brings no CustomResourceDefinition for it.", r.id.Kind, version))
}

// failure is an error of the API as the value that it is.
func failure(err error) *kube.Failure {
	var f *kube.Failure
	if errors.As(err, &f) {
		return f
	}
	return &kube.Failure{Reason: "NoAnswer", Message: err.Error()}
}
