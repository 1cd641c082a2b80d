package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/policy"
	"github.com/mergegate/mergegate/policies"
)

func policyCommand(std stdio) *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "List, explain, test and check policies", Long: "policy works on policy directories; without one, on the built-in library.\n" + exitHelp, Args: cobra.NoArgs, RunE: needsCommand}
	run := func(use, short string, fn func(context.Context, []policy.Source) error) *cobra.Command {
		return &cobra.Command{Use: use + " [directory...]", Short: short, RunE: func(cmd *cobra.Command, dirs []string) error {
			sources, err := policySources(dirs)
			if err != nil {
				return err
			}
			return fn(cmd.Context(), sources)
		}}
	}
	cmd.AddCommand(
		run("list", "List the policies", func(ctx context.Context, s []policy.Source) error { return listPolicies(ctx, std, s) }),
		run("test", "Run the Rego tests of the policies", func(ctx context.Context, s []policy.Source) error { return testPolicies(ctx, std, s) }),
		run("check", "Check that the policies compile, strictly", func(ctx context.Context, s []policy.Source) error { return checkPolicies(ctx, std, s) }),
		explainCommand(std), formatCommand(std),
	)
	return cmd
}

func policySources(dirs []string) ([]policy.Source, error) {
	if len(dirs) == 0 {
		files, err := pipeline.ReadPolicies(policies.Files())
		return []policy.Source{{Name: "built-in", Files: files}}, err
	}
	var sources []policy.Source
	for _, dir := range dirs {
		files, err := pipeline.ReadPolicies(os.DirFS(dir))
		if err != nil {
			return nil, usage("read policies: %v", err)
		}
		sources = append(sources, policy.Source{Name: filepath.ToSlash(filepath.Clean(dir)), Files: files})
	}
	return sources, nil
}

func describe(ctx context.Context, sources []policy.Source) ([]policy.Description, error) {
	compiled, err := policy.Compile(ctx, sources, policy.Options{})
	if err != nil {
		return nil, err
	}
	return compiled.Describe(), nil
}

func listPolicies(ctx context.Context, std stdio, sources []policy.Source) error {
	all, err := describe(ctx, sources)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(std.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "POLICY\tRULES\tSCOPE\tTITLE")
	for _, d := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.Name, strings.Join(d.Rules, ","), d.Scope, d.Title)
	}
	return w.Flush()
}

func explainCommand(std stdio) *cobra.Command {
	var dirs []string
	cmd := &cobra.Command{
		Use: "explain ID", Short: "Explain one policy", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sources, err := policySources(dirs)
			if err != nil {
				return err
			}
			return explain(cmd.Context(), std, sources, args[0])
		},
	}
	cmd.Flags().StringArrayVar(&dirs, "policy", nil, "directory of policies (default: the built-in library)")
	return cmd
}

func explain(ctx context.Context, std stdio, sources []policy.Source, id string) error {
	all, err := describe(ctx, sources)
	if err != nil {
		return err
	}
	for _, d := range all {
		if !strings.EqualFold(d.Name, id) {
			continue
		}
		fmt.Fprintf(std.out, "%s  %s\n\nRules: %s   Scope: %s   Severity: %s\nKinds: %s\nPackage: %s (%s)\n", d.Name, d.Title,
			strings.Join(d.Rules, ", "), d.Scope, d.Severity, strings.Join(d.Kinds, ", "), d.Package, d.Source)
		if d.Description != "" {
			fmt.Fprintf(std.out, "\n%s\n", strings.TrimSpace(d.Description))
		}
		if d.URL != "" {
			fmt.Fprintf(std.out, "\n%s\n", d.URL)
		}
		return nil
	}
	return usage("no policy has the id %q: see 'mergegate policy list'", id)
}

func testPolicies(ctx context.Context, std stdio, sources []policy.Source) error {
	results, err := policy.Test(ctx, sources)
	if err != nil {
		return err
	}
	passed, failed, skipped := 0, 0, 0
	for _, r := range results {
		switch {
		case r.Skipped:
			skipped++
		case r.Passed:
			passed++
		default:
			failed++
			fmt.Fprintf(std.out, "FAIL %s:%d %s: %s\n%s", r.File, r.Line, r.Name, r.Message, r.Output)
		}
	}
	fmt.Fprintf(std.out, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	switch {
	case failed > 0:
		return &exitError{code: exitRejected}
	case passed == 0:
		return &exitError{code: exitInput, text: "no test ran: tests are rules whose name begins with test_ in files that end in _test.rego"}
	}
	return nil
}

func checkPolicies(ctx context.Context, std stdio, sources []policy.Source) error {
	problems, err := policy.Check(ctx, sources)
	if err != nil {
		return err
	}
	for _, p := range problems {
		place := ""
		if p.Location != nil {
			place = fmt.Sprintf("%s:%d: ", p.Location.File, p.Location.Line)
		}
		fmt.Fprintf(std.out, "%s%s: %s: %s\n", place, p.Severity, p.Policy, p.Message)
		if p.Severity == plan.SeverityError {
			err = &exitError{code: exitInput}
		}
	}
	return err
}

func formatCommand(std stdio) *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "fmt DIRECTORY...", Short: "Format Rego files", Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, dirs []string) error { return formatPolicies(std, dirs, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; fail where a file is not formatted")
	return cmd
}

func formatPolicies(std stdio, dirs []string, check bool) error {
	var result error
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(name) != ".rego" {
				return err
			}
			changed, err := formatFile(name, check)
			if changed {
				fmt.Fprintln(std.out, name)
				if check {
					result = &exitError{code: exitRejected, text: "not formatted: run 'mergegate policy fmt'"}
				}
			}
			return err
		})
		if err != nil {
			return usage("%v", err)
		}
	}
	return result
}

func formatFile(name string, check bool) (changed bool, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return false, err
	}
	formatted, err := policy.Format(name, text)
	if err != nil || bytes.Equal(text, formatted) {
		return false, err
	}
	if check {
		return true, nil
	}
	return true, os.WriteFile(name, formatted, 0o644) //nolint:gosec // source files are for everybody to read
}
