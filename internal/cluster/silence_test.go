package cluster_test

import (
	"bytes"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/faultproxy"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/plan"
)

// TestSilence checks what is said where a server says nothing at all, or nothing that can be believed:
// nothing is known of any object, and the reason names what happened and no place.
func TestSilence(t *testing.T) {
	s := newScene(t)
	type test struct {
		want    string
		options faultproxy.Options
		fault   faultproxy.Fault
	}
	atOnce(t, map[string]test{
		"expired":               {options: faultproxy.Options{Certificate: faultproxy.Expired}, want: "the API server's certificate is not accepted: it has expired, or is not valid yet"},
		"not yet valid":         {options: faultproxy.Options{Certificate: faultproxy.NotYetValid}, want: "the API server's certificate is not accepted: it has expired, or is not valid yet"},
		"of a stranger":         {options: faultproxy.Options{Certificate: faultproxy.OfAStranger}, want: "the API server's certificate is not accepted: no authority that is trusted here has signed it"},
		"of another host":       {options: faultproxy.Options{Certificate: faultproxy.OfAnotherHost}, want: "the API server's certificate is not accepted: it is for another name"},
		"401":                   {fault: faults["401"], want: "the API server does not accept mergegate's credentials: they are missing, wrong or expired"},
		"429":                   {fault: faults["429"], want: "the API server answers 429 (Too Many Requests)"},
		"500":                   {fault: faults["500"], want: "the API server answers 500 (Internal Server Error)"},
		"502":                   {fault: faults["502"], want: "the API server answers 502 (Bad Gateway)"},
		"503":                   {fault: faults["503"], want: "the API server answers 503 (Service Unavailable)"},
		"504":                   {fault: faults["504 of Kubernetes"], want: "the API server answers 504 (Gateway Timeout)"},
		"dropped":               {fault: faultproxy.Fault{Drop: true}, options: faultproxy.Options{HTTP1: true}, want: "the API server does not answer: the connection broke"},
		"dropped in the middle": {fault: faultproxy.Fault{DropAfter: 9}, want: "the API server does not answer: the connection broke"},
		"hangs":                 {fault: faultproxy.Fault{Hang: true}, want: "the API server does not answer in time"},
		"hangs in the middle":   {fault: faultproxy.Fault{HangAfter: 9}, want: "the API server does not answer in time"},
		"a page to log in":      {fault: faults["a page to log in"], want: "the API server's answer cannot be read: it is not JSON"},
		"truncated":             {fault: faults["truncated"], want: "the API server's answer cannot be read: it is cut off"},
		"another document":      {fault: faults["another document"], want: "the API server's answer cannot be read: it is another document than was asked for"},
	}, func(t *testing.T, _ string, tt test) {
		proxy := faultproxy.Start(t, s.cluster.Kubeconfig, tt.options)
		proxy.Do(faultproxy.Always(faultproxy.Every, tt.fault))
		s.unanswered(t, proxy, proxy.Kubeconfig, tt.want)
	})
}

// unanswered checks that nothing is known, for a reason.
func (s *scene) unanswered(t *testing.T, p *faultproxy.Proxy, kubeconfig, want string) {
	t.Helper()
	answers, fault := s.predict(t, open(t, kubeconfig, cluster.Settings{Timeout: 3 * time.Second, Patience: time.Second}), live.Options{})
	tellsNothing(t, p, want, answers, fault)
	for i, a := range answers {
		if a.Result != plan.Unknown || !a.Fault || a.Reason == "" {
			t.Errorf("%s: %+v", s.what[i], a.Live)
		}
	}
	if fault != want {
		t.Errorf("got %q, want %q", fault, want)
	}
}

// TestNobodyThere checks what is said where there is no server.
func TestNobodyThere(t *testing.T) {
	s := newScene(t)
	proxy := faultproxy.Start(t, s.cluster.Kubeconfig, faultproxy.Options{})
	var listen net.ListenConfig
	closed, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ server, want string }{
		"nobody listens": {closed.Addr().String(), "the API server cannot be reached: connection refused"},
		"no such name":   {"kube-prod.internal.example.invalid:6443", "the API server cannot be reached: its name is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(proxy.Kubeconfig)
			if err != nil {
				t.Fatal(err)
			}
			kubeconfig := t.TempDir() + "/kubeconfig"
			if err := os.WriteFile(kubeconfig, bytes.ReplaceAll(data, []byte(proxy.Address), []byte(tt.server)), 0o600); err != nil {
				t.Fatal(err)
			}
			s.unanswered(t, proxy, kubeconfig, tt.want)
		})
	}
}

// TestDeadline checks that a prediction ends when it has to, whatever the server does, with an answer
// for each object.
func TestDeadline(t *testing.T) {
	s := newScene(t)
	want, _ := s.undisturbed(t)
	type test struct {
		which func(faultproxy.Request) bool
		fault faultproxy.Fault
	}
	tests := map[string]test{}
	for name, which := range map[string]func(faultproxy.Request) bool{
		"everything":      faultproxy.Every,
		"what is written": func(r faultproxy.Request) bool { return r.Method == "PATCH" },
		"lists":           func(r faultproxy.Request) bool { return r.Is("GET", "/namespaces/") },
	} {
		tests[name+" hangs"] = test{which, faultproxy.Fault{Hang: true}}
		tests[name+" stops"] = test{which, faultproxy.Fault{HangAfter: 30}}
		tests[name+" is busy"] = test{which, faultproxy.Fault{Status: 503}}
	}
	atOnce(t, tests, func(t *testing.T, name string, tt test) {
		proxy := faultproxy.Start(t, s.cluster.Kubeconfig, faultproxy.Options{})
		proxy.Do(faultproxy.Always(tt.which, tt.fault))
		start := time.Now()
		answers, said := s.predict(t, open(t, proxy.Kubeconfig, cluster.Settings{}), live.Options{Deadline: 3 * time.Second})
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("it took %s", took)
		}
		s.compare(t, name, want, answers)
		tellsNothing(t, proxy, name, answers, said)
	})
}

// TestPages checks lists that do not come to an end.
func TestPages(t *testing.T) {
	s := newScene(t)
	want, _ := s.undisturbed(t)
	atOnce(t, map[string]faultproxy.Fault{
		"the second page breaks":        {DropAfter: 20},
		"the second page never comes":   {Hang: true},
		"the second page is gone":       {Status: 410, Body: faultproxy.Status(410, "Expired", "gone")},
		"the second page is forbidden":  {Status: 403, Body: faultproxy.Status(403, "Forbidden", "no")},
		"the same page again and again": {Limit: "1", Edit: sameAgain},
	}, func(t *testing.T, name string, fault faultproxy.Fault) {
		proxy := faultproxy.Start(t, s.cluster.Kubeconfig, faultproxy.Options{})
		proxy.Do(func(r faultproxy.Request) *faultproxy.Fault {
			if r.Query.Get("continue") != "" && strings.Contains(r.Path, s.name) {
				return &fault
			}
			return &faultproxy.Fault{Limit: "1"}
		})
		answers, said := s.predict(t, open(t, proxy.Kubeconfig, short), live.Options{Deadline: 8 * time.Second})
		s.compare(t, name, want, answers)
		tellsNothing(t, proxy, name, answers, said)
	})
}

// sameAgain lets a page lead to itself.
func sameAgain(page []byte) []byte {
	return bytes.Replace(page, []byte(`"metadata":{`), []byte(`"metadata":{"continue":"again",`), 1)
}
