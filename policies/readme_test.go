package policies

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/policy"
)

// TestOwnException evaluates the policy that README.md shows beside the library, in place of MG103.
func TestOwnException(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```rego\n")
	rego, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("README.md shows no policy")
	}
	own := policy.Source{Name: "policies", Files: []policy.File{{Path: "hostpath.rego", Data: []byte(rego)}}}
	library := source(t)
	engine, err := policy.Compile(context.Background(), []policy.Source{own, library}, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if problems := engine.Problems(); len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	in := example(t, "MG103-host-path", "fail")
	for namespace, want := range map[string]int{"shop": 1, "monitoring": 0} {
		in.Application.Namespace = namespace
		got := 0
		for _, f := range engine.Evaluate(context.Background(), in) {
			if f.Policy == "ACME103" {
				got++
			}
		}
		if got != want {
			t.Errorf("namespace %s: %d findings of ACME103, want %d", namespace, got, want)
		}
	}
}
