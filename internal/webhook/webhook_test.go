package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const secret = "It's a Secret to Everybody"

// saved keeps deliveries by GUID, as a store would.
type saved struct {
	mu    sync.Mutex
	byID  map[string]Delivery
	calls int
	err   error
}

func (s *saved) save(_ context.Context, d Delivery) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.err != nil {
		return false, s.err
	}
	if s.byID == nil {
		s.byID = map[string]Delivery{}
	}
	_, duplicate := s.byID[d.GUID]
	if !duplicate {
		s.byID[d.GUID] = d
	}
	return duplicate, nil
}

func receiver(t testing.TB, s *saved, secrets ...string) *Receiver {
	t.Helper()
	cfg := Config{Save: s.save}
	for _, secret := range secrets {
		cfg.Secrets = append(cfg.Secrets, []byte(secret))
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// delivery is a request as GitHub sends it.
func delivery(event, guid string, body []byte) *http.Request {
	req := httptest.NewRequest(http.MethodPost, Path, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "GitHub-Hookshot/044aadd")
	req.Header.Set("X-GitHub-Event", event)
	req.Header.Set("X-GitHub-Delivery", guid)
	req.Header.Set("X-GitHub-Hook-ID", "292430182")
	req.Header.Set("X-Hub-Signature-256", sign(secret, body))
	return req
}

func answer(r *Receiver, req *http.Request) int {
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, req)
	return w.Code
}

const guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

func TestDocumentedSignature(t *testing.T) {
	mac := "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
	s := &saved{}
	req := delivery("push", guid, []byte("Hello, World!"))
	req.Header.Set("X-Hub-Signature-256", mac)
	if got := answer(receiver(t, s, secret), req); got != http.StatusAccepted {
		t.Fatalf("status %d, want 202: a signed body that is not JSON is kept", got)
	}
	if got := string(s.byID[guid].Body); got != "Hello, World!" {
		t.Errorf("saved body %q", got)
	}
}

func TestAcceptedDelivery(t *testing.T) {
	s := &saved{}
	body := []byte(`{"action":"opened","installation":{"id":7},"repository":{"id":42,"name":"x"},"number":1}`)
	req := delivery("pull_request", guid, body)
	req.Header.Set("Authorization", "Bearer x")
	req.Header.Set("Cookie", "session=x")
	req.Header.Set("X-Hub-Signature", "sha1=00")
	if got := answer(receiver(t, s, secret), req); got != http.StatusAccepted {
		t.Fatalf("status %d, want 202", got)
	}
	want := Delivery{
		GUID: guid, Event: "pull_request", Action: "opened", InstallationID: 7, RepositoryID: 42, Body: body,
		Header: map[string]string{
			"Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/044aadd", "X-GitHub-Hook-ID": "292430182",
			"X-GitHub-Event": "pull_request", "X-GitHub-Delivery": guid,
		},
	}
	if diff := cmp.Diff(want, s.byID[guid]); diff != "" {
		t.Errorf("saved delivery (-want +got):\n%s", diff)
	}
}

func TestRefused(t *testing.T) {
	body := []byte(`{"action":"opened"}`)
	sha1Only := func(req *http.Request) {
		mac := hmac.New(sha1.New, []byte(secret))
		mac.Write(body)
		req.Header.Del("X-Hub-Signature-256")
		req.Header.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(mac.Sum(nil)))
	}
	form := func(req *http.Request) {
		encoded := []byte(url.Values{"payload": {string(body)}}.Encode())
		req.Body = io.NopCloser(bytes.NewReader(encoded))
		req.ContentLength = int64(len(encoded))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("X-Hub-Signature-256", sign(secret, encoded))
	}
	set := func(name, value string) func(*http.Request) {
		return func(req *http.Request) { req.Header.Set(name, value) }
	}
	for name, test := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"unsigned":              {set("X-Hub-Signature-256", ""), 401},
		"sha1 only":             {sha1Only, 401},
		"signed by another":     {set("X-Hub-Signature-256", sign("another secret", body)), 401},
		"signed with no secret": {set("X-Hub-Signature-256", sign("", body)), 401},
		"signature of another":  {set("X-Hub-Signature-256", sign(secret, []byte("{}"))), 401},
		"signature too short":   {set("X-Hub-Signature-256", "sha256=00"), 401},
		"signature not hex":     {set("X-Hub-Signature-256", "sha256="+strings.Repeat("zz", 32)), 401},
		"signature sha512":      {set("X-Hub-Signature-256", "sha512="+strings.Repeat("00", 64)), 401},
		"form-encoded":          {form, 415},
		"no content type":       {set("Content-Type", ""), 415},
		"JSON-like type":        {set("Content-Type", "application/json-patch"), 415},
		"no event":              {set("X-GitHub-Event", ""), 400},
		"event with a space":    {set("X-GitHub-Event", "push x"), 400},
		"no GUID":               {set("X-GitHub-Delivery", ""), 400},
		"long GUID":             {set("X-GitHub-Delivery", strings.Repeat("a", 65)), 400},
		"GUID with a slash":     {set("X-GitHub-Delivery", "../x"), 400},
		"wrong method":          {func(req *http.Request) { req.Method = http.MethodGet }, 405},
		"wrong path":            {func(req *http.Request) { req.URL.Path = "/" }, 404},
	} {
		t.Run(name, func(t *testing.T) {
			s := &saved{}
			req := delivery("pull_request", guid, body)
			test.change(req)
			if got := answer(receiver(t, s, secret), req); got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
			if s.calls != 0 {
				t.Error("a refused delivery was saved")
			}
		})
	}
}

func TestSecretRotation(t *testing.T) {
	body := []byte(`{}`)
	for i, used := range []string{"old", "new"} {
		s := &saved{}
		req := delivery("push", guid, body)
		req.Header.Set("X-Hub-Signature-256", sign(used, body))
		if got := answer(receiver(t, s, "old", "new"), req); got != http.StatusAccepted {
			t.Errorf("secret %d: status %d, want 202", i, got)
		}
	}
}

func TestNewRefusesMissingSecrets(t *testing.T) {
	save := (&saved{}).save
	for name, cfg := range map[string]Config{
		"none":  {Save: save},
		"empty": {Save: save, Secrets: [][]byte{[]byte("x"), nil}},
		"saver": {Secrets: [][]byte{[]byte("x")}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: New gave no error", name)
		}
	}
}

func TestDuplicateIsAccepted(t *testing.T) {
	s := &saved{}
	r := receiver(t, s, secret)
	for range 2 {
		if got := answer(r, delivery("push", guid, []byte(`{}`))); got != http.StatusAccepted {
			t.Errorf("status %d, want 202", got)
		}
	}
	if len(s.byID) != 1 || s.calls != 2 {
		t.Errorf("%d deliveries from %d calls, want 1 from 2", len(s.byID), s.calls)
	}
}

func TestSaveErrorIsUnavailable(t *testing.T) {
	s := &saved{err: errors.New("disk full")}
	w := httptest.NewRecorder()
	receiver(t, s, secret).Handler().ServeHTTP(w, delivery("push", guid, []byte(`{}`)))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("status %d %q, want 503 without detail", w.Code, w.Body)
	}
}

func TestPingIsNotSaved(t *testing.T) {
	s := &saved{}
	if got := answer(receiver(t, s, secret), delivery("ping", guid, []byte(`{"zen":"x"}`))); got != http.StatusOK || s.calls != 0 {
		t.Errorf("status %d, %d calls of save; want 200, 0", got, s.calls)
	}
}

func TestStrangePayloadsAreKept(t *testing.T) {
	for name, body := range map[string]string{
		"empty": "", "null": "null", "array": "[1]", "string": `"x"`, "not UTF-8": "{\"action\":\"\xff\"}", "NUL": "\x00",
		"wrong types":   `{"action":1,"installation":"x","repository":{"id":"7"}}`,
		"ids too large": `{"installation":{"id":1e400},"repository":{"id":99999999999999999999}}`,
		"deep":          strings.Repeat("[", 100000),
		"long action":   `{"action":"` + strings.Repeat("a", 1000) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := &saved{}
			if got := answer(receiver(t, s, secret), delivery("push", guid, []byte(body))); got != http.StatusAccepted {
				t.Errorf("status %d, want 202", got)
			}
			d := s.byID[guid]
			if d.Action != "" || d.InstallationID != 0 || d.RepositoryID != 0 || string(d.Body) != body {
				t.Errorf("saved %q %d %d with %d bytes", d.Action, d.InstallationID, d.RepositoryID, len(d.Body))
			}
		})
	}
}

func TestLogHasNoContent(t *testing.T) {
	var log bytes.Buffer
	s := &saved{}
	r, err := New(Config{Secrets: [][]byte{[]byte(secret)}, Save: s.save, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"action":"created","comment":{"body":"the-private-text"}}`)
	answer(r, delivery("issue_comment", guid, body))
	bad := delivery("issue_comment", guid, body)
	bad.Header.Set("X-Hub-Signature-256", sign("x", body))
	answer(r, bad)
	for _, want := range []string{guid, "action=created", "webhook refused", "status=401"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, log.String())
		}
	}
	for _, secret := range []string{"the-private-text", sign(secret, body), secret} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("log has %q:\n%s", secret, log.String())
		}
	}
}

func TestConcurrentDeliveries(t *testing.T) {
	s := &saved{}
	server := httptest.NewServer(receiver(t, s, secret).Handler())
	defer server.Close()
	const guids, each = 20, 5
	var wg sync.WaitGroup
	for i := range guids * each {
		wg.Go(func() {
			body := []byte(`{"number":` + strconv.Itoa(i%guids) + `}`)
			if got := post(t, server, delivery("push", "guid-"+strconv.Itoa(i%guids), body)); got != http.StatusAccepted {
				t.Errorf("status %d, want 202", got)
			}
		})
	}
	wg.Wait()
	if len(s.byID) != guids || s.calls != guids*each {
		t.Errorf("%d deliveries of %d calls, want %d of %d", len(s.byID), s.calls, guids, guids*each)
	}
}

// post sends a request made for httptest over the network and gives the status.
func post(t testing.TB, server *httptest.Server, req *http.Request) int {
	t.Helper()
	out, err := http.NewRequestWithContext(t.Context(), req.Method, server.URL+Path, req.Body)
	if err != nil {
		t.Error(err)
		return 0
	}
	out.Header, out.ContentLength = req.Header, req.ContentLength
	res, err := server.Client().Do(out)
	if err != nil {
		t.Error(err)
		return 0
	}
	if err := res.Body.Close(); err != nil {
		t.Error(err)
	}
	return res.StatusCode
}
