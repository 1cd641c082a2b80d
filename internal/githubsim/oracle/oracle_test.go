package oracle_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/githubsim/oracle"
)

// listener is a test that only listens to what the oracle reports.
type listener struct {
	testing.TB
	said []string
}

func (l *listener) Errorf(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf(format, args...))
}
func (l *listener) Helper() {}

// answer is a handler that says one thing.
func answer(status int, header http.Header, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		for k, v := range header {
			w.Header()[k] = v
		}
		w.WriteHeader(status)
		io.WriteString(w, body) // a recorder takes everything
	})
}

const reaction = `{"id":1,"node_id":"x","user":null,"content":"eyes","created_at":"2024-01-01T00:00:00Z"}`

func TestOracleSpeaksUp(t *testing.T) {
	const reactions, checks = "/api/v3/repos/a/b/issues/comments/1/reactions", "/api/v3/repos/a/b/check-runs"
	for name, tt := range map[string]struct {
		method, path, body string
		options            []oracle.Option
		handler            http.Handler
		want               string // empty: silence
	}{
		"valid":                       {"POST", reactions, `{"content":"eyes"}`, nil, answer(201, nil, reaction), ""},
		"at the root":                 {"POST", reactions[7:], `{"content":"wave"}`, nil, answer(201, nil, reaction), "request violates"},
		"wrong request":               {"POST", reactions, `{"content":"wave"}`, nil, answer(201, nil, reaction), "request violates"},
		"wrong request refused":       {"POST", reactions, `{"content":"wave"}`, nil, answer(422, nil, `{"message":"m","documentation_url":"d"}`), "request violates"},
		"allowed and refused":         {"POST", reactions, `{"content":"wave"}`, []oracle.Option{oracle.AllowInvalidRequests()}, answer(422, nil, `{"message":"m","documentation_url":"d"}`), ""},
		"allowed but accepted":        {"POST", reactions, `{"content":"wave"}`, []oracle.Option{oracle.AllowInvalidRequests()}, answer(201, nil, reaction), "request violates"},
		"51 annotations":              {"POST", checks, `{"name":"n","head_sha":"s","output":{"title":"t","summary":"s","annotations":[` + strings.Repeat(`{"path":"p","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"},`, 50) + `{"path":"p","start_line":1,"end_line":1,"annotation_level":"notice","message":"m"}]}}`, nil, answer(422, nil, `{"message":"m"}`), "request violates"},
		"wrong response":              {"POST", reactions, `{"content":"eyes"}`, nil, answer(201, nil, `{"id":"one"}`), "response violates"},
		"wrong status":                {"POST", reactions, `{"content":"eyes"}`, nil, answer(204, nil, ""), "response violates"},
		"not JSON":                    {"POST", reactions, `{"content":"eyes"}`, nil, answer(201, nil, "<html>"), "response violates"},
		"an error off the list":       {"POST", checks, `{"name":"n","head_sha":"s"}`, nil, answer(403, nil, `{"message":1}`), "-> 403"},
		"a fault":                     {"POST", reactions, `{"content":"eyes"}`, nil, answer(502, http.Header{"X-Githubsim-Fault": {"before"}}, "<html>"), ""},
		"304":                         {"GET", reactions, "", nil, answer(304, nil, ""), ""},
		"no such operation":           {"GET", "/api/v3/repos/a/b/unknown", "", nil, answer(200, nil, "{}"), "not in GitHub's description"},
		"no such operation, 404":      {"GET", "/api/v3/repos/a/b/unknown", "", nil, answer(404, nil, "{}"), ""},
		"no such method":              {"DELETE", checks, "", nil, answer(200, nil, "{}"), "no such method"},
		"a page is nobody's business": {"GET", "/a/b/pull/1", "", nil, answer(200, nil, "<html>"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := &listener{TB: t}
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/json")
			oracle.Wrap(l, tt.handler, tt.options...).ServeHTTP(httptest.NewRecorder(), r)
			said := strings.Join(l.said, "\n")
			if (tt.want == "") != (said == "") || !strings.Contains(said, tt.want) {
				t.Errorf("the oracle said %.500q, want %q", said, tt.want)
			}
		})
	}
}

func TestOracleOnWebhooks(t *testing.T) {
	h := http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"GitHub-Hookshot/1"}, "X-Github-Event": {"merge_group"}, "X-Github-Delivery": {"x"},
		"X-Github-Hook-Id": {"1"}, "X-Github-Hook-Installation-Target-Id": {"1"}, "X-Github-Hook-Installation-Target-Type": {"integration"}, "X-Hub-Signature-256": {"sha256=0"},
	}
	const group = `{"head_sha":"a","head_ref":"r","base_sha":"b","base_ref":"m","head_commit":{"id":"a","tree_id":"t","message":"m","timestamp":"2024-01-01T00:00:00Z","author":null,"committer":null}}`
	for name, tt := range map[string]struct{ event, body, want string }{
		"valid":          {"merge_group", `{"action":"checks_requested","merge_group":` + group + `}`, ""},
		"no merge group": {"merge_group", `{"action":"checks_requested"}`, `"merge_group" is missing`},
		"unknown event":  {"earthquake", `{}`, "no such event"},
		"unknown action": {"merge_group", `{"action":"wobbled"}`, "no such event"},
	} {
		l := &listener{TB: t}
		oracle.New(l).Delivery(tt.event, h, []byte(tt.body))
		said := strings.Join(l.said, "\n")
		if (tt.want == "") != (said == "") || !strings.Contains(said, tt.want) {
			t.Errorf("%s: the oracle said %.500q, want %q", name, said, tt.want)
		}
	}
}
