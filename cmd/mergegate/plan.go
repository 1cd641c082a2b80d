package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/config"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/policy"
	"github.com/mergegate/mergegate/internal/render"
	"github.com/mergegate/mergegate/internal/report"
	"github.com/mergegate/mergegate/internal/source"
	"github.com/mergegate/mergegate/policies"
)

// planFlags is the command line of `mergegate plan`.
type planFlags struct {
	repo, base, head string
	policies, apps   []string
	all              bool
	config           string
	output, failOn   string
	kubeconfig       string
	context          string
}

func planCommand(std stdio) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what merging head into base changes, and what policies say of it",
		Long: "plan renders every application that the merge of head into base affects, compares it with base,\n" +
			"and evaluates policies. The repository is only read. The output depends on the inputs alone.\n" + exitHelp,
		Example: "  mergegate plan                                  # this branch against origin's default branch\n" +
			"  mergegate plan --base v1.2 --head v1.3 --output markdown\n" +
			"  mergegate plan --policy ./policies --fail-on warn --output sarif > plan.sarif",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPlan(cmd.Context(), f, std) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.repo, "repo", ".", "a local git repository, bare or not")
	flags.StringVar(&f.base, "base", "", "revision to compare with (default: the merge base with origin's default branch)")
	flags.StringVar(&f.head, "head", "HEAD", "revision of the change")
	flags.StringArrayVar(&f.policies, "policy", nil, "directory of policies, trusted (may be repeated)")
	flags.StringArrayVar(&f.apps, "app", nil, "plan only this application, by name or path (may be repeated)")
	flags.BoolVar(&f.all, "all", false, "plan every application, also those that the change does not touch")
	flags.StringVar(&f.config, "config", "", "trusted configuration `file` instead of base's .mergegate.yaml")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig `file`: compare with what is live, in the contexts that are called like the applications' clusters")
	flags.StringVar(&f.context, "context", "", "the one context to compare every application with (with --kubeconfig)")
	flags.StringVar(&f.output, "output", "text", "text, markdown, json, sarif, junit or github")
	flags.StringVar(&f.failOn, "fail-on", "", "deny, warn or never (default: what the configuration says, else deny)")
	return cmd
}

func runPlan(ctx context.Context, f planFlags, std stdio) error {
	format := report.Format(f.output)
	if !slices.Contains(report.Formats(), format) {
		return usage("--output: %q is none of %v", f.output, report.Formats())
	}
	options, err := f.options()
	if err != nil {
		return err
	}
	repository, err := source.Open(ctx, f.repo)
	if err != nil {
		return &pipeline.InputError{Err: err}
	}
	defer repository.Close() //nolint:errcheck // it was only read
	base, head, err := f.revisions(ctx, repository)
	if err != nil {
		return err
	}
	engine, err := newEngine(render.Config{})
	if err != nil {
		return err
	}
	defer engine.close()
	if err := f.openClusters(engine); err != nil {
		return err
	}
	p, err := engine.Plan(ctx, pipeline.Change{Repository: repository, Base: base, Head: head, Options: options})
	if err != nil {
		return err
	}
	if err := report.Write(std.out, format, p); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	return verdictError(p)
}

// verdictError is nil for a plan that passes, and otherwise carries the exit code: everything is
// said in the plan.
func verdictError(p plan.Plan) error {
	switch p.Verdict {
	case plan.Pass:
		return nil
	case plan.Fail:
		return &exitError{code: exitRejected}
	default:
		if p.Summary.Error == 0 && p.Summary.Unknown > 0 {
			return &exitError{code: exitInfrastructure} // nothing but what a cluster does not tell
		}
		return &exitError{code: exitInput}
	}
}

// openClusters lets the engine ask the clusters of a kubeconfig.
func (f planFlags) openClusters(e *engine) error {
	if f.kubeconfig == "" {
		if f.context != "" {
			return usage("--context: needs --kubeconfig, which names the file that the context is in")
		}
		return nil
	}
	found, err := cluster.FromKubeconfig(f.kubeconfig, f.context, cluster.Settings{})
	if err != nil {
		return usage("--kubeconfig: %v", err)
	}
	e.Clusters = clusters{found}
	return nil
}

// clusters are what the pipeline asks, by the adapter.
type clusters struct{ *cluster.Clusters }

// Open is the cluster of a name.
func (c clusters) Open(name string) (live.API, error) {
	opened, err := c.Clusters.Open(name)
	if err != nil {
		return nil, err
	}
	return opened, nil
}

// revisions resolves base and head to commits.
func (f planFlags) revisions(ctx context.Context, r *source.Repository) (base, head string, err error) {
	if head, err = r.Commit(ctx, f.head); err != nil {
		return "", "", &pipeline.InputError{Err: fmt.Errorf("--head: %w", err)}
	}
	if f.base != "" {
		if base, err = r.Commit(ctx, f.base); err != nil {
			return "", "", &pipeline.InputError{Err: fmt.Errorf("--base: %w", err)}
		}
		return base, head, nil
	}
	branch, err := r.DefaultBranch(ctx)
	if err == nil {
		base, err = r.MergeBase(ctx, branch, head)
	}
	if err != nil {
		return "", "", &pipeline.InputError{Err: err}
	}
	return base, head, nil
}

func (f planFlags) options() (pipeline.Options, error) {
	options := pipeline.Options{All: f.all, Applications: f.apps, FailOn: f.failOn}
	switch f.failOn {
	case "", "deny", "warn", "never":
	default:
		return options, usage("--fail-on: %q is none of deny, warn, never", f.failOn)
	}
	if f.config != "" {
		data, err := os.ReadFile(f.config)
		if err != nil {
			return options, usage("--config: %v", err)
		}
		cfg, err := config.ParseRepository(filepath.Base(f.config), data)
		if err != nil {
			return options, &pipeline.InputError{Err: err}
		}
		options.Config = &cfg
	}
	for _, dir := range f.policies {
		files, err := pipeline.ReadPolicies(os.DirFS(dir))
		if err == nil && len(files) == 0 {
			err = errors.New("no .rego file in it")
		}
		if err != nil {
			return options, usage("--policy %s: %v", dir, err)
		}
		options.Policies = append(options.Policies, policy.Source{Name: policyName(dir), Files: files})
	}
	return options, nil
}

// engine is the pipeline's engine with the worker processes that it renders in.
type engine struct {
	*pipeline.Engine
	close func()
}

func newEngine(cfg render.Config) (*engine, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program itself: %w", err)
	}
	cfg.Command = []string{self, workerCommand}
	pool, err := render.New(cfg)
	if err != nil {
		return nil, err
	}
	builtIn, err := pipeline.ReadPolicies(policies.Files())
	if err != nil {
		return nil, fmt.Errorf("read the built-in policies: %w", err)
	}
	return &engine{
		Engine: &pipeline.Engine{BuiltIn: policy.Source{Name: "built-in", Files: builtIn}, Renderer: pool},
		close:  func() { pool.Close() }, //nolint:errcheck // its processes are gone either way
	}, nil
}

// policyName is what a policy directory is called in a plan, which must not show where on this
// machine it lies.
func policyName(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return filepath.Base(dir)
	}
	return filepath.Base(abs)
}
