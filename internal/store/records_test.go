package store_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/audit"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/store/storetest"
)

func TestDeliveries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		body := bytes.Repeat([]byte("{\"a\":1}\x00\xff"), 1000)
		d := store.Delivery{
			GUID: "g1", Event: "pull_request", Action: "opened", InstallationID: 7, Body: body, ReceivedAt: time.Date(2026, 7, 1, 12, 0, 0, 123456000, time.UTC),
			Headers: map[string][]string{
				"X-Github-Event": {"pull_request"}, "X-Hub-Signature-256": {"sha256=x"}, "X-Hub-Signature": {"sha1=x"},
				"Authorization": {"Bearer x"}, "Cookie": {"x"}, "Proxy-Authorization": {"x"},
			},
		}
		jobs := 0
		job := func(context.Context, *store.Tx) error { jobs++; return nil }
		saveDelivery(t, s, d, job, true)
		saveDelivery(t, s, d, job, false)
		must(t, s.FinishDelivery(ctx, "g1", store.Failed, "boom"))
		saveDelivery(t, s, d, job, true)
		must(t, s.FinishDelivery(ctx, "g1", store.Processed, ""))
		saveDelivery(t, s, d, job, false)
		if jobs != 2 {
			t.Errorf("%d jobs, want 2", jobs)
		}
		got, err := s.Delivery(ctx, "g1")
		must(t, err)
		want := d
		want.Headers = map[string][]string{"X-Github-Event": {"pull_request"}}
		want.State, want.Attempts = store.Processed, 2
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("delivery (-want +got):\n%s", diff)
		}
		if err := s.FinishDelivery(ctx, "nope", store.Ignored, ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("FinishDelivery of an unknown one = %v", err)
		}
		saveDelivery(t, s, store.Delivery{GUID: "g2", Body: nil}, nil, true)
		list, err := s.Deliveries(ctx, store.Received, 10)
		if err != nil || len(list) != 1 || list[0].GUID != "g2" {
			t.Errorf("Deliveries = %v, %v", list, err)
		}
		if n, err := s.PruneDeliveries(ctx, time.Now().Add(time.Hour)); err != nil || n != 1 {
			t.Errorf("PruneDeliveries = %d, %v", n, err)
		}
	})
}

func saveDelivery(t *testing.T, s *store.Store, d store.Delivery, then func(context.Context, *store.Tx) error, want bool) {
	t.Helper()
	fresh, err := s.SaveDelivery(t.Context(), d, then)
	if err != nil || fresh != want {
		t.Errorf("SaveDelivery = %v, %v; want %v", fresh, err, want)
	}
}

func TestDeliveryWithoutItsJobIsNotSaved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		wrong := errors.New("wrong")
		_, err := s.SaveDelivery(t.Context(), store.Delivery{GUID: "g"}, func(context.Context, *store.Tx) error { return wrong })
		if !errors.Is(err, wrong) {
			t.Errorf("SaveDelivery = %v", err)
		}
		if _, err := s.Delivery(t.Context(), "g"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Delivery = %v, want ErrNotFound", err)
		}
	})
}

func repository() pull.Repository {
	return pull.Repository{ID: 1, InstallationID: 7, Owner: "acme", Name: "gitops", DefaultBranch: "main", CloneURL: "https://example.test/acme/gitops.git"}
}

func request(number int) pull.Request {
	return pull.Request{
		Repository: repository(), Number: number, Title: "Bump", Author: pull.User{ID: 5, Login: "alice", Bot: true}, State: pull.Open,
		Draft: true, BaseRef: "main", BaseSHA: "b1", HeadRef: "bump", HeadSHA: "h1", Fork: true, Labels: []string{"a", "b"},
	}
}

func TestRepositories(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must(t, saveInstallation(ctx, s, store.Installation{ID: 7, Account: "acme", Active: true}))
		must(t, s.SaveRepository(ctx, repository()))
		renamed := repository()
		renamed.Name = "deploy"
		must(t, s.SaveRepository(ctx, renamed))
		list, err := s.Repositories(ctx, 7)
		must(t, err)
		if diff := cmp.Diff([]pull.Repository{renamed}, list); diff != "" {
			t.Errorf("Repositories (-want +got):\n%s", diff)
		}
		must(t, saveInstallation(ctx, s, store.Installation{ID: 7, Account: "acme"}))
		if got, active, err := s.Repository(ctx, 1); err != nil || active || got != renamed {
			t.Errorf("Repository = %v, %v, %v; want it inactive", got, active, err)
		}
		must(t, s.SaveRepository(ctx, renamed))
		must(t, s.DeactivateRepository(ctx, 1))
		all, err := s.Repositories(ctx, 0)
		installations, err2 := s.Installations(ctx)
		if err != nil || err2 != nil || len(all) != 0 || len(installations) != 0 {
			t.Errorf("after deactivation: %v %v, %v %v", all, err, installations, err2)
		}
	})
}

func saveInstallation(ctx context.Context, s *store.Store, i store.Installation) error {
	return s.Update(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.SaveInstallation(ctx, i) })
}

func TestPulls(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		must(t, s.SaveRepository(ctx, repository()))
		must(t, s.SavePull(ctx, request(2)))
		if g, err := s.BumpGeneration(ctx, 1, 2); err != nil || g != 1 {
			t.Errorf("BumpGeneration = %d, %v", g, err)
		}
		must(t, s.SetComment(ctx, store.Pull{Request: request(2), CommentID: 9, CommentHash: "x"}))
		pushed := request(2)
		pushed.HeadSHA, pushed.Labels = "h2", nil
		must(t, s.SavePull(ctx, pushed))
		got, err := s.Pull(ctx, 1, 2)
		must(t, err)
		if got.UpdatedAt.IsZero() {
			t.Error("UpdatedAt is not set")
		}
		got.UpdatedAt = time.Time{}
		if diff := cmp.Diff(store.Pull{Request: pushed, Generation: 1, CommentID: 9, CommentHash: "x"}, got); diff != "" {
			t.Errorf("Pull (-want +got):\n%s", diff)
		}
		closed := request(3)
		closed.State = pull.Merged
		must(t, s.SavePull(ctx, closed))
		for what, want := range map[string]int{"main": 1, "": 1, "release": 0} {
			if list, err := s.OpenPulls(ctx, 1, what); err != nil || len(list) != want {
				t.Errorf("OpenPulls(%q) = %d, %v; want %d", what, len(list), err, want)
			}
		}
		if list, err := s.PullsByHead(ctx, 1, "h2"); err != nil || len(list) != 1 {
			t.Errorf("PullsByHead = %v, %v", list, err)
		}
		if _, err := s.Pull(ctx, 1, 99); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Pull of an unknown one = %v", err)
		}
	})
}

func TestNotes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
		for i, key := range []string{"c1", "c2", "c3", "c2"} {
			fresh, err := s.AddNote(ctx, 1, 2, store.Note{Key: key, Author: "alice", Body: key, CreatedAt: at.Add(time.Duration(i) * time.Second)})
			if err != nil || fresh != (i < 3) {
				t.Errorf("AddNote %d = %v, %v", i, fresh, err)
			}
		}
		list, err := s.Notes(ctx, 1, 2, 2)
		if err != nil || len(list) != 2 || list[0].Key != "c2" || list[1].Key != "c3" {
			t.Errorf("Notes = %v, %v; want c2, c3", list, err)
		}
	})
}

func TestEvaluations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		first := ensure(t, s, store.Evaluation{RepositoryID: 1, Number: 2, HeadSHA: "h1", BaseRef: "main", BaseSHA: "b1"}, true)
		if again := ensure(t, s, first, false); again.ID != first.ID || again.Token != first.Token || len(first.Token) != 32 {
			t.Errorf("ensured %+v, then %+v", first, again)
		}
		second := ensure(t, s, store.Evaluation{RepositoryID: 1, Number: 2, HeadSHA: "h1", BaseRef: "main", BaseSHA: "b1", Generation: 1}, true)
		superseded, err := s.SupersedeEvaluations(ctx, second, "a newer one")
		if err != nil || len(superseded) != 1 || superseded[0].ID != first.ID || superseded[0].State != store.EvaluationSuperseded {
			t.Errorf("SupersedeEvaluations = %+v, %v", superseded, err)
		}
		_, err = s.StartEvaluation(ctx, second.ID)
		must(t, err)
		if _, err := s.Plan(ctx, second.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Plan before there is one = %v", err)
		}
		plan := []byte(strings.Repeat(`{"schemaVersion":1}`, 500))
		_, err = s.PlanEvaluation(ctx, second.ID, store.Result{Digest: "sha256:d", Verdict: "pass", Plan: plan})
		must(t, err)
		_, err = s.SetChecks(ctx, second.ID, map[string]int64{"plan": 11, "policy": 12})
		must(t, err)
		if list, err := s.UnfinishedEvaluations(ctx, 10); err != nil || len(list) != 1 {
			t.Errorf("UnfinishedEvaluations = %v, %v", list, err)
		}
		_, err = s.FinishEvaluation(ctx, second.ID, store.EvaluationPublished, "")
		must(t, err)
		if list, err := s.UnfinishedEvaluations(ctx, 10); err != nil || len(list) != 0 {
			t.Errorf("UnfinishedEvaluations = %v, %v", list, err)
		}
		if got, err := s.Plan(ctx, second.ID); err != nil || !bytes.Equal(got, plan) {
			t.Errorf("Plan = %d bytes, %v", len(got), err)
		}
		checkFound(t, s, second)
	})
}

func ensure(t *testing.T, s *store.Store, e store.Evaluation, want bool) (got store.Evaluation) {
	t.Helper()
	must(t, s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		ensured, fresh, err := tx.EnsureEvaluation(ctx, e)
		if fresh != want {
			t.Errorf("EnsureEvaluation: fresh %v, want %v", fresh, want)
		}
		got = ensured
		return err
	}))
	return got
}

func checkFound(t *testing.T, s *store.Store, e store.Evaluation) {
	t.Helper()
	ctx := t.Context()
	want := e
	want.State, want.Attempt, want.Digest, want.Verdict = store.EvaluationPublished, 1, "sha256:d", "pass"
	want.Checks = map[string]int64{"plan": 11, "policy": 12}
	byID, err1 := s.Evaluation(ctx, e.ID)
	byToken, err2 := s.EvaluationByToken(ctx, e.Token)
	latest, err3 := s.LatestEvaluation(ctx, 1, 2)
	byHead, err4 := s.LatestEvaluationOf(ctx, 1, "h1")
	must(t, errors.Join(err1, err2, err3, err4))
	for _, got := range []store.Evaluation{byID, byToken, latest, byHead} {
		if got.StartedAt.IsZero() || got.FinishedAt.IsZero() {
			t.Error("times are not set")
		}
		got.StartedAt, got.FinishedAt = time.Time{}, time.Time{}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("evaluation (-want +got):\n%s", diff)
		}
	}
	if _, err := s.EvaluationByToken(ctx, "guess"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("EvaluationByToken of a guess = %v", err)
	}
}

func TestEffects(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		if e, fresh, err := s.Intend(ctx, "check/1", []byte("a")); err != nil || !fresh || e.State != store.Intended {
			t.Errorf("Intend = %+v, %v, %v", e, fresh, err)
		}
		e, fresh, err := s.Intend(ctx, "check/1", []byte("b"))
		if err != nil || fresh || e.State != store.Intended || e.RequestHash != store.RequestHash([]byte("a")) {
			t.Errorf("Intend again = %+v, %v, %v", e, fresh, err)
		}
		must(t, s.Done(ctx, "check/1", `{"id":1}`))
		must(t, s.Done(ctx, "check/1", `{"id":2}`))
		must(t, s.Forget(ctx, "check/1")) // does nothing: it is done
		if e, err := s.Effect(ctx, "check/1"); err != nil || e.State != store.Done || e.Result != `{"id":1}` || e.DoneAt.IsZero() {
			t.Errorf("Effect = %+v, %v", e, err)
		}
		if err := s.Done(ctx, "check/2", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Done of what nobody intended = %v", err)
		}
		_, _, err = s.Intend(ctx, "check/3", nil)
		must(t, err)
		must(t, s.Forget(ctx, "check/3"))
		if _, err := s.Effect(ctx, "check/3"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Effect after Forget = %v", err)
		}
	})
}

func TestPushes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		at := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
		p := store.Push{GUID: "g1", RepositoryID: 1, Ref: "refs/heads/main", Before: "a", After: "b", ReceivedAt: at}
		for i, want := range []bool{true, false} {
			if fresh, err := s.SavePush(t.Context(), p); err != nil || fresh != want {
				t.Errorf("SavePush %d = %v, %v", i, fresh, err)
			}
		}
		list, err := s.Pushes(t.Context(), 1, "refs/heads/main", 10)
		must(t, err)
		if diff := cmp.Diff([]store.Push{p}, list); diff != "" {
			t.Errorf("Pushes (-want +got):\n%s", diff)
		}
	})
}

func TestAuditRecord(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		done := make(chan error)
		const writers, each = 8, 10
		for range writers {
			go func() {
				var err error
				for range each {
					err = errors.Join(err, s.Update(context.Background(), func(ctx context.Context, tx *store.Tx) error {
						_, err := tx.AppendAudit(ctx, audit.Event{Actor: "user/7", Action: "command.plan", Subject: "pull/1/2", Detail: "{}"})
						return err
					}))
				}
				done <- err
			}()
		}
		for range writers {
			must(t, <-done)
		}
		chain, err := s.VerifyAudit(t.Context())
		if err != nil || chain.Seq != writers*each {
			t.Errorf("VerifyAudit = %+v, %v", chain, err)
		}
		if list, err := s.AuditOf(t.Context(), "pull/1/2", 5); err != nil || len(list) != 5 {
			t.Errorf("AuditOf = %d events, %v", len(list), err)
		}
		tamper(t, s, "DELETE FROM audit WHERE seq = 80")
		expectTampered(t, s)
	})
}

func TestAuditRecordTamperedWith(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for range 5 {
			must(t, s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.AppendAudit(ctx, audit.Event{Actor: "user/7"})
				return err
			}))
		}
		for _, sql := range []string{
			"UPDATE audit SET actor = 'user/8' WHERE seq = 3", "UPDATE audit SET actor = 'user/7', at = at + 1 WHERE seq = 3", "DELETE FROM audit WHERE seq = 2",
		} {
			tamper(t, s, sql)
			expectTampered(t, s)
		}
	})
}

func tamper(t *testing.T, s *store.Store, sql string) {
	t.Helper()
	must(t, s.Update(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
		if tx.SQLite() != nil {
			_, err = tx.SQLite().ExecContext(ctx, sql)
			return err
		}
		_, err = tx.Postgres().Exec(ctx, sql)
		return err
	}))
}

func expectTampered(t *testing.T, s *store.Store) {
	t.Helper()
	var broken *audit.BrokenError
	if _, err := s.VerifyAudit(t.Context()); !errors.As(err, &broken) {
		t.Errorf("VerifyAudit = %v, want a *audit.BrokenError", err)
	}
}
