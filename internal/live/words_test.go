package live

import (
	"strings"
	"testing"
)

func TestBrief(t *testing.T) {
	tests := map[string]string{
		`Deployment.apps "web" is invalid: spec.a: Invalid value: {"Capabilities":{"Add":null},"b":[1]}: cannot set both`: `Deployment.apps "web" is invalid: spec.a: Invalid value: cannot set both`,
		`a: Invalid value: [{"x":"}"}]: no, b: Invalid value: -1: must be positive`:                                       `a: Invalid value: no, b: Invalid value: -1: must be positive`,
		`a: Invalid value: {broken: no`: `a: Invalid value: {broken: no`,
		"  x\n":                         "x",
	}
	for message, want := range tests {
		if got := brief(message); got != want {
			t.Errorf("brief(%q) = %q, want %q", message, got, want)
		}
	}
	if got := brief(strings.Repeat("é", 3000)); len(got) > maxReason+40 || !strings.HasSuffix(got, "(4000 bytes more)") {
		t.Errorf("a long message is cut to %d bytes: %q", len(got), got[len(got)-40:])
	}
}

func FuzzBrief(f *testing.F) {
	f.Add(`Invalid value: {"a":1}: x`)
	f.Fuzz(func(t *testing.T, message string) {
		if got := brief(message); len(got) > maxReason+40 {
			t.Errorf("%d bytes", len(got))
		}
	})
}
