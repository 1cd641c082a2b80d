package gate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/report"
	"github.com/mergegate/mergegate/internal/store"
)

func (g *Gate) checkOptions(t target) report.CheckOptions {
	return report.CheckOptions{
		BaseName: t.BaseRef,
		// A check belongs to a commit and a name, not to a pull request: the same commit may be
		// proposed to several branches, with different plans.
		BaseInName: baseInName(t),
		DetailsURL: g.detailsURL(t.Evaluation), BlobURL: blobURL(t.repo, t.HeadSHA),
	}
}

// baseInName says whether the evaluation's checks have the base branch in their name. What they were
// called once they stay, though another branch may be the default one by now.
func baseInName(t target) bool {
	if len(t.Checks) == 0 {
		return t.BaseRef != t.repo.DefaultBranch
	}
	return !slices.ContainsFunc(report.CheckNames(report.CheckOptions{}), func(name string) bool { return t.Checks[name] != 0 })
}

// ensureChecks makes the evaluation's check runs where they are missing, in the state given.
func (g *Gate) ensureChecks(ctx context.Context, t target, state report.Pending) (target, error) {
	checks := maps.Clone(t.Checks)
	if checks == nil {
		checks = map[string]int64{}
	}
	for _, run := range report.PendingCheckRuns(state, g.checkOptions(t)) {
		if checks[run.Name] != 0 {
			continue
		}
		id, err := g.createCheck(ctx, t, run)
		if err != nil {
			return t, err
		}
		checks[run.Name] = id
	}
	if maps.Equal(checks, t.Checks) {
		return t, nil
	}
	err := g.record(ctx, t, func(ctx context.Context, tx *store.Tx) error {
		e, err := tx.SetChecks(ctx, t.ID, checks)
		if err == nil {
			t.Evaluation = e
		}
		return err
	})
	return t, err
}

// madeChecks finds the check runs of an evaluation that were made, or may have been, by a run that
// did not live to record them.
func (g *Gate) madeChecks(ctx context.Context, t target) (target, error) {
	checks := maps.Clone(t.Checks)
	if checks == nil {
		checks = map[string]int64{}
	}
	for _, name := range report.CheckNames(g.checkOptions(t)) {
		if checks[name] != 0 {
			continue
		}
		made, err := g.Store.Effect(ctx, checkKey(t, name))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return t, err
		}
		result, ok := made.Result, made.State == store.Done
		if !ok {
			if result, ok, err = g.findCheck(ctx, t, name); err != nil {
				return t, err
			}
		}
		if ok {
			if checks[name], err = strconv.ParseInt(result, 10, 64); err != nil {
				return t, fmt.Errorf("read journal of %s: %w", made.Key, err)
			}
		}
	}
	t.Checks = checks
	return t, nil
}

func (g *Gate) findCheck(ctx context.Context, t target, name string) (id string, ok bool, err error) {
	found, err := g.client(t.repo).FindCheckRuns(ctx, t.repo, t.HeadSHA, name, t.Token)
	if err != nil || len(found) == 0 {
		return "", false, err
	}
	return strconv.FormatInt(found[0].ID, 10), true, nil
}

func (g *Gate) createCheck(ctx context.Context, t target, run report.CheckRun) (int64, error) {
	key := checkKey(t, run.Name)
	if err := g.mayWrite(ctx, t); err != nil {
		return 0, err
	}
	result, err := g.once(ctx, t, effect{key, func() (string, bool, error) {
		return g.findCheck(ctx, t, run.Name)
	}, func() (string, error) {
		made, err := g.client(t.repo).CreateCheckRun(ctx, t.repo, g.check(t, run))
		return strconv.FormatInt(made.ID, 10), err
	}})
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseInt(result, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read journal of %s: %w", key, err)
	}
	return id, nil
}

func checkKey(t target, name string) string { return fmt.Sprintf("check/%d/%s", t.ID, name) }

// check is a check run as GitHub takes it, without its annotations.
func (g *Gate) check(t target, run report.CheckRun) github.CheckRun {
	out := github.CheckRun{
		ID: t.Checks[run.Name], Name: run.Name, HeadSHA: t.HeadSHA, ExternalID: t.Token, DetailsURL: g.detailsURL(t.Evaluation),
		Status: github.Status(run.Status), Conclusion: github.Conclusion(run.Conclusion),
		Title: run.Title, Summary: run.Summary, Text: run.Text,
	}
	for _, a := range run.Actions {
		out.Actions = append(out.Actions, github.CheckAction(a))
	}
	return out
}

// updateChecks brings the evaluation's check runs into a state in which there is no plan. The pull
// request may be another one by now: then it is the end of these checks that is shown.
func (g *Gate) updateChecks(ctx context.Context, t target, state report.Pending) error {
	for _, run := range report.PendingCheckRuns(state, g.checkOptions(t)) {
		if t.Checks[run.Name] == 0 {
			continue
		}
		if err := g.mayWrite(ctx, t); err != nil {
			return err
		}
		if _, err := g.client(t.repo).UpdateCheckRun(ctx, t.repo, g.check(t, run)); err != nil {
			return err
		}
	}
	return nil
}

// completeChecks publishes what a plan says in the evaluation's check runs.
func (g *Gate) completeChecks(ctx context.Context, t target, runs []report.CheckRun) error {
	for _, run := range runs {
		if err := g.completeCheck(ctx, t, run); err != nil {
			return err
		}
	}
	return nil
}

// completeCheck completes a check run. GitHub takes annotations in batches and adds each to those
// before it, so every batch is an effect of its own; the last one completes the run.
func (g *Gate) completeCheck(ctx context.Context, t target, run report.CheckRun) error {
	batches := slices.Collect(slices.Chunk(run.Annotations, github.MaxAnnotations))
	if len(batches) == 0 {
		batches = [][]report.Annotation{nil}
	}
	sent := 0
	for i, batch := range batches {
		sent += len(batch)
		want := g.check(t, run)
		want.Annotations = annotations(batch)
		if i < len(batches)-1 {
			want.Status, want.Conclusion = github.InProgress, ""
		}
		if err := g.updateOnce(ctx, t, want, fmt.Sprintf("%s/%d", checkKey(t, run.Name), i), sent); err != nil {
			return err
		}
	}
	return nil
}

// updateOnce updates a check run after which it has sent annotations.
func (g *Gate) updateOnce(ctx context.Context, t target, want github.CheckRun, key string, sent int) error {
	if err := g.may(ctx, t); err != nil {
		return err
	}
	client := g.client(t.repo)
	_, err := g.once(ctx, t, effect{key, func() (string, bool, error) {
		if len(want.Annotations) == 0 {
			return "", false, nil // doing it again shows nothing
		}
		now, err := client.CheckRun(ctx, t.repo, want.ID)
		return "", now.AnnotationsCount >= sent, err
	}, func() (string, error) {
		_, err := client.UpdateCheckRun(ctx, t.repo, want)
		return "", err
	}})
	return err
}

func annotations(list []report.Annotation) []github.Annotation {
	out := make([]github.Annotation, len(list))
	for i, a := range list {
		out[i] = github.Annotation{
			Path: a.Path, StartLine: a.StartLine, EndLine: a.EndLine, Level: github.AnnotationLevel(a.Level),
			Title: a.Title, Message: a.Message, Details: a.RawDetails,
		}
	}
	return out
}
