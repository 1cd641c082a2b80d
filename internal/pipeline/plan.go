// Package pipeline is the story of a plan, readable top to bottom in this file: from two commits to
// what the change between them does to each application, and what is thought of it.
//
// It calls the stages in their order and owns no rule of its own: what differs is diff's word, what
// is wrong is policy's, what that means is verdict's, how it reads is report's. It knows neither
// GitHub nor a database: the server, the command line and CI call the same [Engine.Plan].
package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/mergegate/mergegate/internal/config"
	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/policy"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/render"
	"github.com/mergegate/mergegate/internal/source"
	"github.com/mergegate/mergegate/internal/verdict"
)

// Renderer renders applications in isolation from everything else.
type Renderer interface {
	Render(context.Context, render.Request) (render.Result, error)
	Locate(context.Context, render.Request, []render.Query) ([]*manifest.Location, error)
}

// Clusters are the clusters that can be asked what is live and what they would do.
type Clusters interface {
	// Resolve is the name of the cluster that is meant by the one that an application gives.
	Resolve(name string) string
	// Open connects to a cluster by the name that Resolve gives.
	Open(name string) (live.API, error)
}

// Engine computes plans. The server, the command line and CI use the same one and get the same bytes.
type Engine struct {
	BuiltIn       policy.Source // the policies where a repository names none
	DigestKey     []byte        // of this installation, for what a plan's digest binds of secrets; see diff.Masker
	Compiled      *policy.Cache // what is compiled already; nil: every plan compiles anew
	PolicyTimeout time.Duration // for one policy and one input
	Renderer      Renderer
	Clusters      Clusters    // what is live; nil: no cluster is asked
	Answers       *live.Cache // what clusters have answered already; nil: every plan asks anew
	Workers       int         // applications in work at the same time
}

// Change is what to plan: the merge of head into base, compared with base.
type Change struct {
	Repository *source.Repository
	Base, Head string        // full commit SHAs
	Pull       *pull.Request // nil on the command line
	Options    Options
}

// Options are what the trusted caller says, not the repository.
type Options struct {
	All          bool               // plan every application, also those that the change does not touch
	Applications []string           // plan only these, by name or path
	Config       *config.Repository // instead of base's .mergegate.yaml
	FailOn       string             // deny, warn or never; empty: what the configuration says
	Policies     []policy.Source    // policies from outside the repository
}

// InputError is an error of what was given: arguments, configuration, or content of the repository
// that cannot be evaluated. Every other error is one of the infrastructure.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// Plan says what the change does to each application that it affects, and what is thought of it.
// What cannot be evaluated is in the plan as an error; the error returned is for where there can be
// no plan at all.
func (e *Engine) Plan(ctx context.Context, c Change) (plan.Plan, error) {
	trees, err := openTrees(ctx, c)
	if err != nil {
		return plan.Plan{}, err
	}
	cfg, err := configuration(trees.base, c.Options.Config)
	if err != nil {
		return plan.Plan{}, err
	}
	found, err := affected(ctx, trees, cfg, c.Options)
	if err != nil {
		return plan.Plan{}, err
	}
	policies, err := e.policies(ctx, trees.base, cfg, c.Options)
	if err != nil {
		return plan.Plan{}, err
	}
	if err := e.render(ctx, trees, found.work); err != nil {
		return plan.Plan{}, err
	}
	pair(found.work)
	asked := e.predict(ctx, c, found.work)
	masker := diff.NewMasker()
	mask(masker, found.work, asked)

	p := plan.Plan{
		SchemaVersion: plan.SchemaVersion, Base: c.Base, Head: c.Head, Merge: trees.merge,
		PolicyRevision: policies.Revision(), Policies: policies.Policies(), Findings: policies.Problems(),
		Applications: make([]plan.Application, len(found.work)),
		Summary:      plan.Summary{Applications: found.total, Affected: len(found.work)},
		Notes:        append(notes(trees, cfg, found.unmatched), e.liveNotes(c)...),
		Clusters:     clusters(asked),
	}
	if err := e.each(ctx, found.work, func(ctx context.Context, i int, w *work) error {
		p.Applications[i] = compare(w)
		p.Applications[i].Findings = policies.Evaluate(ctx, policyInput(w, p.Applications[i], c.Pull))
		return e.locate(ctx, trees, w, &p.Applications[i])
	}); err != nil {
		return plan.Plan{}, err
	}
	return verdict.Decide(p, verdict.Rules{FailOn: failOn(cfg, c.Options), Secrets: masker.Fingerprints(e.DigestKey)}), nil
}

// input marks an error as one of the input.
func input(format string, args ...any) error {
	return &InputError{Err: fmt.Errorf(format, args...)}
}
