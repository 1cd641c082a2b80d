package live_test

import (
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/plan"
)

// Names are part of the paths that a server is asked at. What is no name leads nowhere: neither to
// objects of other kinds and namespaces, nor to other parts of the API.
func TestNamesThatLeadElsewhere(t *testing.T) {
	s := newStage(t)
	s.kubectl("", "create", "secret", "generic", "treasure", "--from-literal=word=hunter2-hunter2")
	for _, name := range []string{"../secrets/treasure", "..", ".", "a/b", "a%2fb", "%2e%2e", "a?dryRun=", "a#b", "a b", "é", strings.Repeat("a", 300)} {
		quoted := `"` + name + `"`
		for _, manifest := range []string{
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: " + quoted + "}}",
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: " + quoted + "}}",
			"{apiVersion: v1, kind: Secret, metadata: {name: " + quoted + "}, data: {}}",
			"{apiVersion: v1, kind: Namespace, metadata: {name: " + quoted + "}}",
		} {
			a := s.hides([]string{"hunter2-hunter2"}, change{"", manifest})[0]
			if a.Result != plan.Rejected || a.Before != nil || a.After != nil {
				t.Errorf("%s: %s", manifest, text(a))
			}
		}
	}
	if left := s.kubectl("", "get", "secret", "treasure", "-o", "name"); strings.TrimSpace(left) != "secret/treasure" {
		t.Errorf("got %q", left)
	}
}
