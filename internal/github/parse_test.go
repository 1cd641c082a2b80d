package github

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v60/github"

	"github.com/mergegate/mergegate/internal/pull"
)

type example struct {
	Event   string          `json:"event"`
	Payload json.RawMessage `json:"payload"`
}

// examples are recorded payloads; testdata/NOTICE says whose.
func examples(t testing.TB) []example {
	t.Helper()
	file, err := os.Open("testdata/webhooks-examples.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	for lines := json.NewDecoder(bufio.NewReader(unzipped)); lines.More(); {
		var e example
		if err := lines.Decode(&e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestRecordedPayloads(t *testing.T) {
	got := map[string]int{}
	for i, e := range examples(t) {
		event, err := Parse(e.Event, e.Payload)
		switch {
		case err == nil:
			got[e.Event+" "+reflect.TypeOf(event).Elem().Name()]++
			agrees(t, e, event)
		case errors.Is(err, ErrIgnored):
			got[e.Event+" ignored"]++
		default:
			t.Errorf("example %d, %s: %v", i, e.Event, err)
		}
	}
	want := map[string]int{
		"check_run CheckRunEvent": 3, "check_run ignored": 6, "check_suite CheckSuiteEvent": 2, "check_suite ignored": 7,
		"deployment_review ignored": 1, "github_app_authorization ignored": 2,
		"installation InstallationEvent": 7, "installation_repositories RepositoriesEvent": 3,
		"issue_comment ignored": 9, "label ignored": 6, "merge_group MergeGroupEvent": 2,
		"meta ignored": 2, "ping ignored": 4, "pull_request PullRequestEvent": 12, "pull_request ignored": 17,
		"pull_request_review ignored": 4, "push PushEvent": 7, "status ignored": 4,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("examples by result (-want +got):\n%s", diff)
	}
}

// agrees compares with what go-github reads, where it can read the payload.
func agrees(t *testing.T, e example, event Event) {
	t.Helper()
	theirs, err := github.ParseWebHook(e.Event, e.Payload)
	if err != nil {
		t.Logf("go-github cannot read this %s, we can: %v", e.Event, err)
		return
	}
	var want, got []any
	switch theirs := theirs.(type) {
	case *github.PullRequestEvent:
		ours, p := event.(*PullRequestEvent), theirs.GetPullRequest()
		want = []any{theirs.GetAction(), p.GetNumber(), p.GetHead().GetSHA(), p.GetBase().GetSHA(), p.GetBase().GetRef(), p.GetDraft(), p.GetUser().GetID(), theirs.GetSender().GetLogin(), theirs.GetRepo().GetFullName(), theirs.GetInstallation().GetID()}
		r := ours.Request
		got = []any{ours.Action, r.Number, r.HeadSHA, r.BaseSHA, r.BaseRef, r.Draft, r.Author.ID, ours.Sender.Login, r.Repository.FullName(), r.Repository.InstallationID}
	case *github.PushEvent:
		ours := event.(*PushEvent)
		want = []any{theirs.GetRef(), theirs.GetDeleted(), theirs.GetForced(), theirs.GetSender().GetID(), theirs.GetRepo().GetID()}
		got = []any{ours.Ref, ours.Deleted, ours.Forced, ours.Sender.ID, ours.Repository.ID}
	case *github.CheckRunEvent:
		ours, run := event.(*CheckRunEvent), theirs.GetCheckRun()
		identifier := ""
		if theirs.RequestedAction != nil {
			identifier = theirs.RequestedAction.Identifier
		}
		want = []any{theirs.GetAction(), run.GetID(), run.GetName(), run.GetHeadSHA(), run.GetExternalID(), run.GetApp().GetID(), identifier}
		got = []any{ours.Action, ours.Run.ID, ours.Run.Name, ours.Run.HeadSHA, ours.Run.ExternalID, ours.Run.AppID, ours.Identifier}
	case *github.CheckSuiteEvent:
		ours := event.(*CheckSuiteEvent)
		want = []any{theirs.GetCheckSuite().GetHeadSHA(), theirs.GetCheckSuite().GetApp().GetID()}
		got = []any{ours.HeadSHA, ours.AppID}
	case *github.IssueCommentEvent:
		ours := event.(*CommentEvent)
		want = []any{theirs.GetIssue().GetNumber(), theirs.GetComment().GetID(), theirs.GetComment().GetBody(), theirs.GetComment().GetUser().GetID()}
		got = []any{ours.Number, ours.Comment.ID, ours.Comment.Body, ours.Comment.Author.ID}
	case *github.MergeGroupEvent:
		ours, group := event.(*MergeGroupEvent), theirs.GetMergeGroup()
		want = []any{group.GetHeadSHA(), group.GetHeadRef(), group.GetBaseSHA(), group.GetBaseRef()}
		got = []any{ours.HeadSHA, ours.HeadRef, ours.BaseSHA, "refs/heads/" + ours.BaseRef}
	case *github.InstallationEvent:
		ours := event.(*InstallationEvent)
		want = []any{theirs.GetAction(), theirs.GetInstallation().GetID(), theirs.GetInstallation().GetAccount().GetID(), len(theirs.Repositories)}
		got = []any{ours.Action, ours.Installation.ID, ours.Installation.Account.ID, len(ours.Repositories)}
	case *github.InstallationRepositoriesEvent:
		ours := event.(*RepositoriesEvent)
		want = []any{theirs.GetInstallation().GetID(), len(theirs.RepositoriesAdded), len(theirs.RepositoriesRemoved)}
		got = []any{ours.Installation.ID, len(ours.Added), len(ours.Removed)}
	default:
		t.Fatalf("no comparison for %T", theirs)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-go-github +ours):\n%s", e.Event, diff)
	}
}

const (
	headSHA = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
	noSHA   = "0000000000000000000000000000000000000000"
	around  = `"sender":{"id":5,"login":"ann","type":"User"},"installation":{"id":7},"repository":{"id":42,"full_name":"octo/gitops","default_branch":"main"}`
	pullTo  = `"number":3,"title":"Bump","state":"open","user":{"id":6,"login":"bob","type":"User"},"labels":[{"name":"a"}],"base":{"ref":"main","sha":"` + mergeSHA + `","repo":{"id":42,"full_name":"octo/gitops"}}`
)

func TestParsePullRequest(t *testing.T) {
	home := pull.Repository{ID: 42, InstallationID: 7, Owner: "octo", Name: "gitops", DefaultBranch: "main"}
	ann, bob := pull.User{ID: 5, Login: "ann"}, pull.User{ID: 6, Login: "bob"}
	request := pull.Request{
		Repository: home, Number: 3, Title: "Bump", Author: bob, State: pull.Open, BaseRef: "main", BaseSHA: mergeSHA,
		HeadRef: "topic", HeadSHA: headSHA, Labels: []string{"a"},
	}
	fork, merged := request, request
	fork.Fork, merged.State = true, pull.Merged
	head := func(repo string) string {
		return `"head":{"ref":"topic","sha":"` + headSHA + `","repo":` + repo + `}`
	}
	for name, test := range map[string]struct {
		body string
		want PullRequestEvent
	}{
		"synchronize":    {`{"action":"synchronize","before":"` + mergeSHA + `","pull_request":{` + pullTo + `,` + head(`{"id":42}`) + `},`, PullRequestEvent{Action: Synchronize, Before: mergeSHA, Request: request}},
		"fork":           {`{"action":"opened","pull_request":{` + pullTo + `,` + head(`{"id":43}`) + `},`, PullRequestEvent{Action: Opened, Request: fork}},
		"deleted fork":   {`{"action":"reopened","pull_request":{` + pullTo + `,` + head(`null`) + `},`, PullRequestEvent{Action: Reopened, Request: fork}},
		"retarget":       {`{"action":"edited","changes":{"base":{"ref":{"from":"old"},"sha":{"from":"x"}}},"pull_request":{` + pullTo + `,` + head(`{"id":42}`) + `},`, PullRequestEvent{Action: Edited, BaseBefore: "old", Request: request}},
		"title edited":   {`{"action":"edited","changes":{"title":{"from":"old"}},"pull_request":{` + pullTo + `,` + head(`{"id":42}`) + `},`, PullRequestEvent{Action: Edited, Request: request}},
		"merged":         {`{"action":"closed","pull_request":{"merged":true,` + strings.Replace(pullTo, "open", "closed", 1) + `,` + head(`{"id":42}`) + `},`, PullRequestEvent{Action: ClosedAction, Request: merged}},
		"merged in list": {`{"action":"closed","pull_request":{"merged_at":"2026-01-01T00:00:00Z",` + pullTo + `,` + head(`{"id":42}`) + `},`, PullRequestEvent{Action: ClosedAction, Request: merged}},
	} {
		t.Run(name, func(t *testing.T) {
			event, err := Parse("pull_request", []byte(test.body+around+"}"))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Sender = ann
			if diff := cmp.Diff(&test.want, event); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
			if got := event.(*PullRequestEvent).BaseChanged(); got != (name == "retarget") {
				t.Errorf("BaseChanged is %v", got)
			}
		})
	}
}

func TestParsePush(t *testing.T) {
	body := func(ref, before, after string) []byte {
		return []byte(`{"ref":"` + ref + `","before":"` + before + `","after":"` + after + `",` + around + `}`)
	}
	for name, test := range map[string]struct {
		body                  []byte
		before, after, branch string
		deleted               bool
	}{
		"moved":   {body("refs/heads/a/b", mergeSHA, headSHA), mergeSHA, headSHA, "a/b", false},
		"created": {body("refs/heads/main", noSHA, headSHA), "", headSHA, "main", false},
		"deleted": {body("refs/heads/main", mergeSHA, noSHA), mergeSHA, "", "main", true},
		"tag":     {body("refs/tags/v1", noSHA, headSHA), "", headSHA, "", false},
	} {
		event, err := Parse("push", test.body)
		if err != nil {
			t.Fatal(err)
		}
		e := event.(*PushEvent)
		if e.Before != test.before || e.After != test.after || e.Branch() != test.branch || e.Deleted != test.deleted {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestParseIgnores(t *testing.T) {
	for name, test := range map[string][2]string{
		"unknown event":           {"some_new_event", `{}`},
		"unknown event, not JSON": {"some_new_event", `<`},
		"unknown action":          {"pull_request", `{"action":"some_new_action"}`},
		"no action":               {"pull_request", `{}`},
		"queue branch":            {"push", `{"ref":"refs/heads/gh-readonly-queue/main/pr-1-x",` + around + `}`},
		"comment on an issue":     {"issue_comment", `{"action":"created","issue":{"number":1},"comment":{"id":1},` + around + `}`},
		"edited comment":          {"issue_comment", `{"action":"edited","issue":{"number":1,"pull_request":{}},"comment":{"id":1},` + around + `}`},
		"group destroyed":         {"merge_group", `{"action":"destroyed",` + around + `}`},
		"suite requested":         {"check_suite", `{"action":"requested",` + around + `}`},
	} {
		if event, err := Parse(test[0], []byte(test[1])); !errors.Is(err, ErrIgnored) || event != nil {
			t.Errorf("%s: got %v, %v; want ErrIgnored", name, event, err)
		}
	}
}

func TestParseRefusesWhatItCannotRead(t *testing.T) {
	pullRequest := func(inside string) string {
		return `{"action":"opened",` + around + `,"pull_request":{` + inside + `}}`
	}
	head := `,"head":{"sha":"` + headSHA + `"}`
	for name, test := range map[string][2]string{
		"not JSON":              {"push", `<`},
		"empty":                 {"push", ``},
		"array":                 {"push", `[]`},
		"action of a type":      {"pull_request", `{"action":1}`},
		"no pull request":       {"pull_request", `{"action":"opened",` + around + `}`},
		"no head":               {"pull_request", pullRequest(pullTo)},
		"short head":            {"pull_request", pullRequest(pullTo + `,"head":{"sha":"abc"}`)},
		"head is an option":     {"pull_request", pullRequest(pullTo + `,"head":{"sha":"--upload-pack=x"}`)},
		"another repository":    {"pull_request", strings.Replace(pullRequest(pullTo+head), `"repo":{"id":42`, `"repo":{"id":43`, 1)},
		"no repository":         {"push", `{"ref":"refs/heads/main","before":"` + mergeSHA + `","after":"` + headSHA + `"}`},
		"repository's name":     {"push", strings.Replace(`{"ref":"refs/heads/main",`+around+`}`, "octo/gitops", "octo/../x", 1)},
		"no ref":                {"push", `{` + around + `}`},
		"run without id":        {"check_run", `{"action":"rerequested",` + around + `}`},
		"action without name":   {"check_run", `{"action":"requested_action","check_run":{"id":1,"name":"x","head_sha":"` + headSHA + `"},` + around + `}`},
		"suite without head":    {"check_suite", `{"action":"rerequested",` + around + `}`},
		"comment without id":    {"issue_comment", `{"action":"created","issue":{"number":1,"pull_request":{}},` + around + `}`},
		"group without base":    {"merge_group", `{"action":"checks_requested","merge_group":{"head_sha":"` + headSHA + `"},` + around + `}`},
		"no installation":       {"installation", `{"action":"created"}`},
		"odd repositories":      {"installation_repositories", `{"action":"added","installation":{"id":1},"repositories_added":[{"id":1}]}`},
		"odd installation list": {"installation", `{"action":"created","installation":{"id":1},"repositories":{}}`},
	} {
		event, err := Parse(test[0], []byte(test[1]))
		if bad := new(PayloadError); !errors.As(err, &bad) || event != nil {
			t.Errorf("%s: got %v, %v; want PayloadError", name, event, err)
		}
	}
}

func TestParseComment(t *testing.T) {
	body := `{"action":"created","issue":{"number":3,"pull_request":{"url":"x"}},"comment":{"id":9,"body":"/plan","user":{"id":6,"login":"x[bot]","type":"Bot"},"performed_via_github_app":{"id":11}},` + around + `}`
	event, err := Parse("issue_comment", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := &CommentEvent{
		Repository: pull.Repository{ID: 42, InstallationID: 7, Owner: "octo", Name: "gitops", DefaultBranch: "main"}, Number: 3,
		Comment: Comment{ID: 9, Body: "/plan", Author: pull.User{ID: 6, Login: "x[bot]", Bot: true}, AppID: 11}, Sender: pull.User{ID: 5, Login: "ann"},
	}
	if diff := cmp.Diff(want, event); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, e := range examples(f) {
		if len(e.Payload) < 20000 {
			f.Add(e.Event, []byte(e.Payload))
		}
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		parsed, err := Parse(event, body)
		var bad *PayloadError
		if (err == nil) == (parsed == nil) || err != nil && !errors.Is(err, ErrIgnored) && !errors.As(err, &bad) {
			t.Errorf("got %v, %v", parsed, err)
		}
	})
}

func TestNumberOfAMergeGroup(t *testing.T) {
	for ref, want := range map[string]int{
		"refs/heads/gh-readonly-queue/main/pr-12-" + mergeSHA:      12,
		"refs/heads/gh-readonly-queue/a/pr-1-b/pr-7-" + mergeSHA:   7,
		"refs/heads/gh-readonly-queue/main/pr-0000000000-" + noSHA: 0, "": 0, "refs/heads/main": 0,
	} {
		if got := (&MergeGroupEvent{HeadRef: ref}).Number(); got != want {
			t.Errorf("%s: %d, want %d", ref, got, want)
		}
	}
}
