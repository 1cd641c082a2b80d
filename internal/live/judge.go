package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/plan"
)

// judge finds out what the server would hold after base and after the proposed state, and what becomes
// of the object.
func (p *predictor) judge(ctx context.Context, r *row) {
	if r.settled() {
		return
	}
	if fields(r.live, "metadata")["deletionTimestamp"] != nil {
		r.note("The live object is being deleted; finalizers hold it.")
	}
	switch {
	case r.head == nil && r.live == nil:
		r.result = plan.NoEffect
	case r.head == nil:
		r.result = plan.WillDelete
		p.predictBase(ctx, r) // what of it is drift
	case p.needsOffline(r):
		p.offline(ctx, r)
	default:
		p.online(ctx, r)
	}
}

// online asks the server.
func (p *predictor) online(ctx context.Context, r *row) {
	after, failed := p.applied(ctx, r, r.head, !r.unchanged())
	switch {
	case failed != nil:
		p.refused(ctx, r, failed)
	default:
		r.afterHead = after
		r.conclude()
	}
	if r.live != nil {
		p.predictBase(ctx, r)
	}
}

// conclude is the result of a proposed object that the server takes.
func (r *row) conclude() {
	switch {
	case r.live == nil:
		r.result = plan.WillCreate
	case r.base == nil && r.in.Base == nil:
		r.result = plan.WillAdopt
	case same(r.live, r.afterHead):
		r.result = plan.NoEffect
	default:
		r.result = plan.WillUpdate
	}
}

// predictBase finds out what the server would hold if base was applied, so that what differs already
// can be told from what the change does.
func (p *predictor) predictBase(ctx context.Context, r *row) {
	switch {
	case r.base == nil || r.live == nil:
		return
	case r.unchanged() && r.afterHead != nil:
		r.afterBase = r.afterHead
		return
	case r.unchanged() && r.result != plan.WillDelete:
		r.baseUnknown = r.reason
		return
	}
	after, failed := p.applied(ctx, r, r.base, false)
	if failed != nil {
		r.baseUnknown = brief(failed.Error())
		return
	}
	r.afterBase = after
}

// applied is what the server would hold after an object was applied. It is only asked where that is
// needed: ask says so, or the object is not surely as it is wanted already.
func (p *predictor) applied(ctx context.Context, r *row, object map[string]any, ask bool) (map[string]any, *kube.Failure) {
	if !ask && r.live != nil && !p.server.Mutates(r.kind) && asIs(object, r.live) {
		return r.live, nil
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, &kube.Failure{Reason: "Garbled", Message: fmt.Sprintf("encode the object: %v", err)}
	}
	key := p.cacheKey(r, body)
	if known, ok := p.options.Cache.get(key); ok {
		r.warn(known.Warnings)
		return known.Content, nil
	}
	outcome, err := p.api.Try(ctx, r.attempt(object))
	if err != nil {
		return nil, failure(err)
	}
	withoutMadeUp(r.id, outcome.Content, object, r.live)
	p.options.Cache.put(key, outcome, len(body))
	r.warn(outcome.Warnings)
	return outcome.Content, nil
}

func (r *row) attempt(object map[string]any) kube.Attempt {
	return kube.Attempt{Kind: r.kind, Namespace: r.id.Namespace, Name: r.id.Name, Content: object}
}

// warn notes what the server told the client.
func (r *row) warn(warnings []string) {
	for _, w := range warnings {
		r.note("The API server warns: %s", brief(w))
	}
}

// refused settles a row whose proposed object the server did not take.
func (p *predictor) refused(ctx context.Context, r *row, f *kube.Failure) {
	switch {
	case f.Code == http.StatusForbidden:
		p.forbidden(ctx, r, f)
	case f.Code == http.StatusNotFound && r.live == nil && p.namespaceFails(r): // settled by that
	case f.Code == http.StatusNotFound && r.live == nil && strings.Contains(f.Message, `namespaces "`+r.id.Namespace+`"`):
		r.rejected(fmt.Sprintf("The namespace %s is not in the cluster, and this change does not create it.", r.id.Namespace))
	case isFault(f):
		r.unknown(brief(f.Error()))
	case p.dependsOnArriving(f):
		p.offline(ctx, r)
		r.note("It needs something that arrives in the same change: %s", brief(f.Message))
	case f.Code == http.StatusNotFound && r.kind.Group == rbacGroup: // what only those are not asked about who may bind it
		r.unknown("the role that it refers to is not in the cluster, and mergegate's preview identity may not bind any role: " + brief(f.Message))
	case f.Code == http.StatusUnprocessableEntity && r.live != nil && len(fieldCauses(f)) > 0:
		p.replaced(ctx, r, f)
	default:
		r.rejected(brief(f.Error()))
	}
}

const rbacGroup = "rbac.authorization.k8s.io"

// isFault says whether a failure tells nothing about the object.
func isFault(f *kube.Failure) bool {
	switch f.Code {
	case http.StatusBadRequest:
		return strings.Contains(f.Message, "does not support dry run")
	case http.StatusUnprocessableEntity, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusNotAcceptable:
		return false
	case http.StatusInternalServerError:
		return !kube.Deliberate(f.Code, f.Message)
	case http.StatusConflict:
		return f.Reason != "AlreadyExists" && !kube.Deliberate(f.Code, f.Message)
	}
	// Webhooks refuse with any status they like; what remains of the 4xx is an answer to the object.
	return f.Code == 0 || f.Code >= 500 || f.Code == http.StatusTooManyRequests || f.Code == http.StatusUnauthorized || f.Code == http.StatusGone || f.Code < 400
}

// forbidden tells apart why a server answers 403: since the identity may not, which says nothing of the
// object, or since admission refuses the object (a quota, a webhook, a namespace that is going away).
// The text alone does not tell; the server is asked what the identity may do.
func (p *predictor) forbidden(ctx context.Context, r *row, f *kube.Failure) {
	verbs := []string{"patch"}
	if r.live == nil {
		verbs = append(verbs, "create")
	}
	switch {
	case r.kind.Group == rbacGroup && strings.HasSuffix(r.kind.Resource, "bindings"):
		verbs = append(verbs, "bind")
	case r.kind.Group == rbacGroup:
		verbs = append(verbs, "escalate")
	}
	for _, verb := range verbs {
		may, err := p.may(ctx, r, verb)
		if err != nil {
			r.unknown("the API server refuses it, and whether mergegate may " + verb + " it is not known: " + brief(err.Error()))
			return
		}
		if !may && verb != "bind" && verb != "escalate" {
			r.unknown(fmt.Sprintf("mergegate may not %s %s%s: grant it, or see deploy/ for what it needs", verb, r.kind, inNamespace(r.id.Namespace)))
			return
		}
		if !may && strings.Contains(f.Message, "not currently held") {
			r.unknown(fmt.Sprintf("mergegate's preview identity holds fewer permissions than the object grants, and may not %s %s, so the API server does not say what it thinks of it", verb, r.kind))
			return
		}
	}
	if p.dependsOnArriving(f) {
		p.offline(ctx, r)
		r.note("It needs something that arrives in the same change: %s", brief(f.Message))
		return
	}
	r.rejected(brief(f.Error()))
}

func (p *predictor) may(ctx context.Context, r *row, verb string) (bool, error) {
	a := kube.Access{Verb: verb, Kind: r.kind, Namespace: r.id.Namespace}
	return p.access.get(fmt.Sprint(a), func() (bool, error) { return p.api.May(ctx, a) })
}

// dependsOnArriving says whether a refusal names an object that the same change creates: what admission
// looks up (a pod's ServiceAccount, its PriorityClass) is not there yet. That a refusal names one is not
// enough: an object is often called like its ServiceAccount, and every refusal names the object.
func (p *predictor) dependsOnArriving(f *kube.Failure) bool {
	if !strings.Contains(f.Message, " not found") && !strings.Contains(f.Message, " was found") {
		return false
	}
	for name := range p.arriving {
		if strings.Contains(f.Message, `"`+name+`"`) || strings.Contains(f.Message, "/"+name+":") || strings.Contains(f.Message, " "+name+" ") {
			return true
		}
	}
	return false
}
