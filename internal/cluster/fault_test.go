package cluster_test

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/clustertest"
	"github.com/mergegate/mergegate/internal/faultproxy"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/plan"
)

// confidential is in the faults' answers, and must be in no answer of ours.
const confidential = `{"message":"upstream https://10.1.2.3:6443/api?token=s3cr3t-t0ken at kube-prod.internal.example: Authorization: Bearer s3cr3t-t0ken"}`

// faults are what can happen to a request again and again.
var faults = map[string]faultproxy.Fault{
	"429":                    {Status: 429, Body: confidential},
	"429 with Retry-After":   {Status: 429, Header: map[string]string{"Retry-After": "1"}, Body: confidential},
	"429 of Kubernetes":      {Status: 429, Body: faultproxy.Status(429, "TooManyRequests", "too many requests, see https://10.1.2.3:6443/")},
	"500":                    {Status: 500, Body: confidential},
	"500 of Kubernetes":      {Status: 500, Body: faultproxy.Status(500, "InternalError", "rpc error: code = Unavailable desc = read tcp 10.1.2.3:4242->10.4.5.6:2379: connection reset, kube-prod.internal.example:2379")},
	"502":                    {Status: 502, Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>" + confidential},
	"503":                    {Status: 503, Header: map[string]string{"Retry-After": "3600"}, Body: confidential},
	"504 of Kubernetes":      {Status: 504, Body: faultproxy.Status(504, "Timeout", "etcd at https://10.1.2.3:2379 did not answer")},
	"401":                    {Status: 401, Body: faultproxy.Status(401, "Unauthorized", "Unauthorized: Bearer s3cr3t-t0ken")},
	"dropped before":         {Drop: true},
	"dropped in the middle":  {DropAfter: 40},
	"never answers":          {Hang: true},
	"stops in the middle":    {HangAfter: 40},
	"too late":               {Delay: short.Timeout + 300*time.Millisecond},
	"truncated":              {Edit: func(b []byte) []byte { return b[:len(b)/2] }},
	"garbled":                {Edit: func(b []byte) []byte { return slices.Concat(b[:len(b)/3], []byte("\x00s3cr3t-t0ken"), b[len(b)/3:]) }},
	"empty":                  {Edit: func([]byte) []byte { return nil }},
	"a page to log in":       {Status: 200, Header: map[string]string{"Content-Type": "text/html"}, Body: "<html>" + confidential},
	"another document":       {Status: 200, Body: confidential},
	"null":                   {Status: 200, Body: "null"},
	"an empty object":        {Status: 200, Body: "{}"},
	"success without answer": {Status: 204},
}

// everywhere are the faults that happen to every request. The others are like one of these, and happen to
// every third request, each to other ones.
var everywhere = map[string]bool{
	"429": true, "500 of Kubernetes": true, "401": true, "dropped in the middle": true, "stops in the middle": true, "truncated": true, "an empty object": true,
}

// TestFaults lets faults happen to the requests of a prediction, one after the other. What the server then
// says of each object is what it says undisturbed, or unknown, with a reason.
func TestFaults(t *testing.T) {
	s := newScene(t)
	undisturbed, requests := s.undisturbed(t)
	work := make(chan [2]string)
	var workers sync.WaitGroup
	for i := range 24 { // most of the time they wait for a server that does not answer
		workers.Go(func() {
			proxy := faultproxy.Start(t, s.cluster.Kubeconfig, faultproxy.Options{HTTP1: i%2 == 0})
			api := open(t, proxy.Kubeconfig, short)
			for w := range work {
				s.disturb(t, proxy, api, w[0], w[1], undisturbed)
			}
		})
	}
	for i, name := range slices.Sorted(maps.Keys(faults)) {
		for j, key := range requests {
			if everywhere[name] || i%3 == j%3 {
				work <- [2]string{name, key}
			}
		}
	}
	close(work)
	workers.Wait()
}

// disturb lets a fault happen to every request of a key.
func (s *scene) disturb(t *testing.T, proxy *faultproxy.Proxy, api live.API, fault, key string, undisturbed []live.Answer) {
	t.Helper()
	proxy.Do(faultproxy.Always(func(r faultproxy.Request) bool { return r.Key() == key }, faults[fault]))
	start := time.Now()
	answers, said := s.predict(t, api, live.Options{Deadline: 10 * time.Second})
	if took := time.Since(start); took > 12*time.Second {
		t.Errorf("%s at %s: it took %s", fault, key, took)
	}
	s.compare(t, fault+" at "+key, undisturbed, answers)
	tellsNothing(t, proxy, fault+" at "+key, answers, said)
}

// undisturbed is what the server says undisturbed, which must be what is known to be right, and the
// requests that a prediction makes.
func (s *scene) undisturbed(t *testing.T) ([]live.Answer, []string) {
	t.Helper()
	proxy := faultproxy.Start(t, s.cluster.Kubeconfig, faultproxy.Options{})
	answers, err := s.predict(t, open(t, proxy.Kubeconfig, cluster.Settings{}), live.Options{})
	if err != "" {
		t.Fatal(err)
	}
	for i, a := range answers {
		if a.Result != s.want[i] || cmp.Or(a.Reason, "-") == "-" && a.Result == plan.Rejected {
			t.Errorf("%s: got %q (%s), want %q", s.what[i], a.Result, a.Reason, s.want[i])
		}
	}
	var keys []string
	for _, r := range proxy.Seen() {
		if !slices.Contains(keys, r.Key()) {
			keys = append(keys, r.Key())
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	t.Logf("%d objects, %d requests, %d of them different", len(s.rows), len(proxy.Seen()), len(keys))
	slices.Sort(keys)
	return answers, keys
}

// compare compares answers with what is right. A note may say that something beside the result is not
// known: what was different already, where base could not be tried.
func (s *scene) compare(t *testing.T, during string, want, got []live.Answer) {
	t.Helper()
	for i := range got {
		a := got[i]
		switch {
		case a.Result == plan.Unknown && a.Fault && a.Reason != "":
			continue
		case a.Result == plan.Unknown:
			t.Errorf("%s: %s: unknown without a fault or a reason: %+v", during, s.what[i], a.Live)
			continue
		case a.Result == plan.Rejected && want[i].Result == plan.Rejected && a.Reason != "":
			continue // by another judge: where a namespace is not known to be new, the server is asked
		case slices.ContainsFunc(a.Notes, saysNotKnown):
			a.Effect, a.Drift, a.Notes = want[i].Effect, want[i].Drift, want[i].Notes
		}
		if diff := gocmp.Diff(want[i], a); diff != "" {
			t.Errorf("%s: %s is told differently:\n%s", during, s.what[i], diff)
		}
	}
}

func saysNotKnown(note string) bool {
	return strings.HasPrefix(note, "What was different already cannot be told from what the change does: ")
}

// address finds addresses of any kind.
var address = regexp.MustCompile(`https?:|\b[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+\b|:[0-9]{4,5}\b|\.internal\.example|s3cr3t|Bearer|\?timeout`)

// tellsNothing checks that no text of an answer says where the server is, or who asks.
func tellsNothing(t *testing.T, p *faultproxy.Proxy, during string, answers []live.Answer, fault string) {
	t.Helper()
	for _, a := range answers {
		for _, text := range append([]string{a.Reason, fault}, a.Notes...) {
			if found := address.FindString(text); found != "" || strings.Contains(text, p.Address) {
				t.Errorf("%s: %q tells %q", during, text, found)
			}
		}
	}
}

// passing is a script under which a prediction is what it is undisturbed.
type passing struct {
	options faultproxy.Options
	script  faultproxy.Script
}

// TestFaultsThatPass lets faults happen to each request for a while. Nobody notices.
func TestFaultsThatPass(t *testing.T) {
	s := newScene(t)
	want, _ := s.undisturbed(t)
	twice := func(f faultproxy.Fault) passing { return passing{script: faultproxy.Times(2, faultproxy.Every, f)} }
	later := map[string]string{"Retry-After": "1"}
	atOnce(t, map[string]passing{
		"429": twice(faultproxy.Fault{Status: 429}), "500": twice(faultproxy.Fault{Status: 500}), "502": twice(faultproxy.Fault{Status: 502}),
		"503": twice(faultproxy.Fault{Status: 503}), "504": twice(faultproxy.Fault{Status: 504}),
		"dropped in the middle":   twice(faultproxy.Fault{DropAfter: 30}),
		"dropped before":          {faultproxy.Options{HTTP1: true}, faultproxy.Times(2, faultproxy.Every, faultproxy.Fault{Drop: true})},
		"dropped with all others": {script: everySeventh(faultproxy.Fault{Drop: true})},
		"429 with Retry-After":    {script: everySeventh(faultproxy.Fault{Status: 429, Header: later})},
		"503 with Retry-After":    {script: everySeventh(faultproxy.Fault{Status: 503, Header: later})},
		"too late":                {script: everySeventh(faultproxy.Fault{Hang: true})},
		"silent in the middle":    {script: everySeventh(faultproxy.Fault{HangAfter: 20})},
		"pages of one":            {script: faultproxy.Always(faultproxy.Every, faultproxy.Fault{Limit: "1"})},
		"a page is gone":          {script: goneOnce},
	}, func(t *testing.T, _ string, p passing) {
		proxy := faultproxy.Start(t, s.cluster.Kubeconfig, p.options)
		proxy.Do(p.script)
		answers, fault := s.predict(t, open(t, proxy.Kubeconfig, cluster.Settings{Timeout: 4 * time.Second, Patience: 40 * time.Second}), live.Options{})
		if fault != "" {
			t.Fatal(fault)
		}
		if diff := gocmp.Diff(want, answers); diff != "" {
			t.Errorf("it is told differently:\n%s", diff)
		}
	})
}

func everySeventh(f faultproxy.Fault) faultproxy.Script {
	return func(r faultproxy.Request) *faultproxy.Fault {
		if r.Number%7 == 3 && r.Number < 60 {
			return &f
		}
		return nil
	}
}

// goneOnce answers the second page of each list by 410, once.
func goneOnce(r faultproxy.Request) *faultproxy.Fault {
	if r.Query.Get("continue") != "" && r.Before == 1 {
		return &faultproxy.Fault{Status: 410, Body: faultproxy.Status(410, "Expired", "The provided continue parameter is too old")}
	}
	return &faultproxy.Fault{Limit: "1"}
}

// TestRetryAfter checks that a server that says when to come again is not asked before.
func TestRetryAfter(t *testing.T) {
	proxy := faultproxy.Start(t, clustertest.Start(t).Kubeconfig, faultproxy.Options{})
	proxy.Do(faultproxy.Times(1, func(r faultproxy.Request) bool { return r.Path == "/version" }, faultproxy.Fault{Status: 429, Header: map[string]string{"Retry-After": "2"}}))
	start := time.Now()
	if _, err := open(t, proxy.Kubeconfig, cluster.Settings{}).Discover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 2*time.Second {
		t.Errorf("asked again within %s", took)
	}
}
