package cluster_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/cluster"
	"github.com/mergegate/mergegate/internal/faultproxy"
	"github.com/mergegate/mergegate/internal/live"
	"github.com/mergegate/mergegate/internal/plan"
)

// partial is a fault that is to leave some objects unknown, for a reason, and all others as they are.
type partial struct {
	script  faultproxy.Script
	unknown []string // beginnings of what these objects are called in the scene
	reason  string
}

// TestPartialFaults checks that what is not known of one object leaves the others known, and that the
// reason names it.
func TestPartialFaults(t *testing.T) {
	s := newScene(t)
	want, _ := s.undisturbed(t)
	forbidden := faultproxy.Fault{Status: 403, Body: faultproxy.Status(403, "Forbidden", "nobody may")}
	is := func(method, part string) func(faultproxy.Request) bool {
		return func(r faultproxy.Request) bool { return r.Is(method, s.name+part) }
	}
	maps := []string{"create", "update", "none", "replace", "adopt", "delete", "rejected by policy"}
	atOnce(t, map[string]partial{
		"a list is forbidden": {faultproxy.Always(is("GET", "/configmaps"), forbidden), maps, "mergegate may not list configmaps.v1 in namespace " + s.name},
		"a list has no end":   {faultproxy.Always(is("GET", "/configmaps"), faultproxy.Fault{HangAfter: 50}), maps, "the API server does not answer in time"},
		"reviews are forbidden": {
			faultproxy.Always(func(r faultproxy.Request) bool { return r.Is("POST", "selfsubjectaccessreviews") }, forbidden),
			[]string{"rejected by quota", "fits into"},
			"",
		},
		"reviews say no": {
			faultproxy.Always(func(r faultproxy.Request) bool { return r.Is("POST", "selfsubjectaccessreviews") }, faultproxy.Fault{Edit: deny}),
			[]string{"rejected by quota"},
			"mergegate may not patch services.v1 in namespace " + s.name,
		},
		"a firewall forbids": {
			faultproxy.Always(is("PATCH", "/configmaps/created"), faultproxy.Fault{Status: 403, Body: "<html>" + confidential}),
			[]string{"create"},
			"the API server answers 403 (Forbidden)",
		},
		"a proxy has lost its way": {
			faultproxy.Always(is("PATCH", "/configmaps/created"), faultproxy.Fault{Status: 404, Body: "<html>" + confidential}),
			[]string{"create"},
			"the API server answers 404 (Not Found)",
		},
		"a kind is silent": {
			faultproxy.Always(func(r faultproxy.Request) bool { return r.Path == "/apis" }, faultproxy.Fault{Edit: stale(s.name + ".example.com")}), nil, "",
		},
		"admission is forbidden": {
			faultproxy.Always(func(r faultproxy.Request) bool { return r.Is("GET", "admissionregistration") }, forbidden), nil, "",
		},
	}, func(t *testing.T, name string, p partial) {
		proxy := faultproxy.Start(t, s.cluster.Kubeconfig, faultproxy.Options{})
		proxy.Do(p.script)
		answers, fault := s.predict(t, open(t, proxy.Kubeconfig, cluster.Settings{Timeout: 8 * time.Second, Patience: time.Second}), live.Options{})
		s.compare(t, name, want, answers)
		tellsNothing(t, proxy, name, answers, fault)
		reasoned := len(p.unknown) == 0
		for i, a := range answers {
			named := false
			for _, u := range p.unknown {
				named = named || strings.HasPrefix(s.what[i], u)
			}
			if a.Result == plan.Unknown && !named && len(p.unknown) > 0 {
				t.Errorf("%s: %+v", s.what[i], a.Live)
			}
			reasoned = reasoned || a.Result == plan.Unknown && strings.HasPrefix(a.Reason, p.reason)
		}
		if !reasoned {
			t.Errorf("nothing is unknown for %q: %+v", p.reason, answers)
		}
	})
}

// deny turns the answer to an access review around.
func deny(body []byte) []byte {
	return bytes.ReplaceAll(body, []byte(`"allowed":true`), []byte(`"allowed":false`))
}

// stale lets discovery say that a group is served by an API that does not answer, as kube-apiserver says
// of aggregated ones.
func stale(group string) func([]byte) []byte {
	return func(body []byte) []byte {
		var list map[string]any
		if err := json.Unmarshal(body, &list); err != nil {
			return body
		}
		for _, item := range list["items"].([]any) {
			if g := item.(map[string]any); g["metadata"].(map[string]any)["name"] == group {
				for _, version := range g["versions"].([]any) {
					v := version.(map[string]any)
					v["freshness"] = "Stale"
					delete(v, "resources")
				}
			}
		}
		edited, err := json.Marshal(list)
		if err != nil {
			return body
		}
		return edited
	}
}

// TestSilentKinds checks objects of an aggregated API that does not answer, and what goes with
// a namespace where such objects may be in it.
func TestSilentKinds(t *testing.T) {
	s := newScene(t)
	s.rows, s.what, s.want = nil, nil, nil
	s.add("of a silent kind", plan.Unknown, "", custom("Gone", s.name, "two", "1"))
	s.add("deleted of a silent kind", plan.Unknown, custom("Gone", s.name, "one", "1"), "")
	s.add("namespace", plan.Unknown, "{apiVersion: v1, kind: Namespace, metadata: {name: "+s.name+"}}", "")
	s.add("another", plan.WillCreate, "", configMap("created", "a: one"))
	proxy := faultproxy.Start(t, s.cluster.Kubeconfig, faultproxy.Options{})
	proxy.Do(faultproxy.Always(func(r faultproxy.Request) bool { return r.Path == "/apis" }, faultproxy.Fault{Edit: stale(s.name + ".example.com")}))
	answers, _ := s.predict(t, open(t, proxy.Kubeconfig, cluster.Settings{}), live.Options{})
	for i, a := range answers {
		if a.Result != s.want[i] || a.Fault != (a.Result == plan.Unknown) || a.Fault && !strings.Contains(a.Reason, s.name+".example.com/v1") {
			t.Errorf("%s: %+v", s.what[i], a.Live)
		}
	}
}
