package policy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
	"github.com/mergegate/mergegate/internal/pull"
)

// manyPolicies are n packages that share a helper library and look at workloads in several ways.
func manyPolicies(n int) []Source {
	s := Source{Name: "policies", Files: []File{{Path: "lib.rego", Data: []byte(`package lib.workload

containers contains c if some c in input.spec.template.spec.containers
containers contains c if some c in input.spec.containers
named := sprintf("%s/%s", [input.kind, input.metadata.name])
`)}}}
	for i := range n {
		kinds := "[apps/Deployment, Pod]"
		if i%3 == 0 {
			kinds = `["*"]`
		}
		text := fmt.Sprintf(`# METADATA
# title: Policy %[1]d
# custom: {id: P%03[1]d, mergegate: {kinds: %[2]s}}
package many.p%[1]d

import data.lib.workload

deny contains {"msg": msg, "field": "spec.template.spec.containers"} if {
	some c in workload.containers
	not c.resources.limits.memory
	count(c.env) %% 30 == %[1]d
	msg := sprintf("%%s: container %%s has no memory limit", [workload.named, c.name])
}

warn contains msg if {
	some key, value in input.metadata.labels
	key == "tier%[1]d"
	msg := sprintf("%%s has %%s", [workload.named, value])
}
`, i, kinds)
		s.Files = append(s.Files, File{Path: fmt.Sprintf("p%d.rego", i), Data: []byte(text)})
	}
	return []Source{s}
}

func manyObjects(n int) manifest.Set {
	var set manifest.Set
	for i := range n {
		env := make([]any, i%40)
		for j := range env {
			env[j] = map[string]any{"name": fmt.Sprintf("VARIABLE_%d", j), "value": strings.Repeat("v", 20)}
		}
		container := map[string]any{
			"name": "web", "image": "registry.example.com/web:1.2.3", "env": env,
			"ports": []any{map[string]any{"containerPort": json.Number("8080"), "name": "http"}},
		}
		content := map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{
				"name":   fmt.Sprintf("web-%d", i),
				"labels": map[string]any{fmt.Sprintf("tier%d", i%50): "a", "app.kubernetes.io/name": "web"},
			},
			"spec": map[string]any{
				"replicas": json.Number("3"),
				"template": map[string]any{"spec": map[string]any{"containers": []any{container}}},
			},
		}
		set = append(set, toObject(content))
	}
	set.Sort()
	return set
}

// TestDeterminism evaluates the same many times, compiled anew and side by side.
func TestDeterminism(t *testing.T) {
	head, base := manyObjects(24), manyObjects(16)
	base[3].Content = manyObjects(9)[8].Content
	var first string
	for i := range 100 {
		e, err := Compile(t.Context(), append(manyPolicies(3), source(map[string]string{
			"x.rego": "package x\ndeny contains \"x\" if to_number(input.metadata.name)",
			"y.rego": "package y\ndeny contains y",
			"z.rego": "# METADATA\n# custom: {mergegate: {scope: application}}\npackage z\ndeny contains o.kind if some o in input.objects",
		})...), Options{Workers: 1 + i%7})
		if err != nil {
			t.Fatal(err)
		}
		got := e.Revision() + "\n" + show(e, e.Evaluate(t.Context(), Input{Application: Application{Name: "a"}, Head: head, Base: base}))
		if i == 0 {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Fatalf("run %d: %s", i, diff)
		}
	}
}

// TestMergedEqualsAlone checks that asking many policies at once gives what asking each alone gives.
func TestMergedEqualsAlone(t *testing.T) {
	sources, head := manyPolicies(10), manyObjects(45)
	together, err := Compile(t.Context(), sources, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var alone []plan.Finding
	for i := range 10 {
		one := Source{Name: "policies", Files: []File{sources[0].Files[0], sources[0].Files[1+i]}}
		e, err := Compile(t.Context(), []Source{one}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		alone = append(alone, e.Evaluate(t.Context(), Input{Head: head})...)
	}
	got := together.Evaluate(t.Context(), Input{Head: head})
	if len(got) == 0 || len(got) != len(alone) {
		t.Fatalf("together %d findings, alone %d", len(got), len(alone))
	}
	known := map[string]int{}
	for _, f := range alone {
		known[line(f)+f.Fingerprint]++
	}
	for _, f := range got {
		known[line(f)+f.Fingerprint]--
	}
	for f, n := range known {
		if n != 0 {
			t.Errorf("%+d: %s", n, f)
		}
	}
}

// TestNumbers checks that numbers are formatted as the manifest has them, where float64 would not.
func TestNumbers(t *testing.T) {
	e := compile(t, `package main
deny contains sprintf("%d %v %s", [n, n, format_int(n, 10)]) if n := input.spec.n
deny_json contains json.marshal(input.spec.n)
deny_sum contains sprintf("%d", [input.spec.n + 1])`, Options{})
	for text, want := range map[string][3]string{
		"1":                   {"1 1 1", "1", "2"},
		"10000000":            {"10000000 10000000 10000000", "10000000", "10000001"},
		"9007199254740993":    {"9007199254740993 9007199254740993 9007199254740993", "9007199254740993", "9007199254740994"},
		"9223372036854775807": {"9223372036854775807 9223372036854775807 9223372036854775807", "9223372036854775807", "9223372036854775808"},
	} {
		o := toObject(map[string]any{
			"apiVersion": "v1", "kind": "N", "metadata": map[string]any{"name": "n"},
			"spec": map[string]any{"n": json.Number(text)},
		})
		var got [3]string
		for i, f := range e.Evaluate(t.Context(), Input{Head: manifest.Set{o}}) {
			got[i] = f.Message
		}
		if got != want {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

// TestLimit checks that what is not listed is counted.
func TestLimit(t *testing.T) {
	e := compile(t, `package main
deny contains sprintf("%05d", [n]) if some n in numbers.range(1, 1207)`, Options{})
	findings := e.Evaluate(t.Context(), Input{Head: readSet(t, []byte("{apiVersion: v1, kind: Pod, metadata: {name: a}}"))})
	if len(findings) != 501 {
		t.Fatalf("got %d findings", len(findings))
	}
	last := findings[500]
	if last.Severity != plan.Deny || last.Message != "707 more results of deny are not listed" {
		t.Errorf("got %v", last)
	}
}

func TestLongMessageIsClipped(t *testing.T) {
	e := compile(t, `package main
deny contains concat("", [s | some n in numbers.range(1, 5000); s := "é"])`, Options{})
	got := e.Evaluate(t.Context(), Input{Head: readSet(t, []byte("{apiVersion: v1, kind: Pod, metadata: {name: a}}"))})
	if len(got) != 1 || strings.Count(got[0].Message, "é") > 2048 {
		t.Errorf("got %v", got)
	}
}

func TestPullRequest(t *testing.T) {
	e := compile(t, `package main
deny contains json.marshal(data.mergegate.pull)
warn contains "no pull request" if not data.mergegate.pull`, Options{})
	set := readSet(t, []byte("{apiVersion: v1, kind: Pod, metadata: {name: a}}"))
	with := e.Evaluate(t.Context(), Input{Head: set, Pull: &pull.Request{
		Number: 7, Title: "T", Author: pull.User{Login: "ann"}, BaseRef: "main", HeadRef: "topic", Labels: []string{"l"},
	}})
	want := `{"author":{"bot":false,"login":"ann"},"base":"main","draft":false,"fork":false,"head":"topic","labels":["l"],"number":7,"title":"T"}`
	if len(with) != 1 || with[0].Message != want {
		t.Errorf("got %v", with)
	}
	without := e.Evaluate(t.Context(), Input{Head: set})
	if len(without) != 1 || without[0].Message != "no pull request" {
		t.Errorf("got %v", without)
	}
}

// TestFingerprints checks what a finding's identity depends on.
func TestFingerprints(t *testing.T) {
	e := compile(t, `package main
deny contains {"msg": input.spec.msg, "field": "spec.x"} if input.spec.field
deny contains input.spec.msg if not input.spec.field`, Options{})
	print1 := func(app, name, spec string) string {
		set := readSet(t, []byte("{apiVersion: v1, kind: Pod, metadata: {name: "+name+"}, spec: "+spec+"}"))
		found := e.Evaluate(t.Context(), Input{Application: Application{Name: app}, Head: set})
		if len(found) != 1 {
			t.Fatalf("got %v", found)
		}
		return found[0].Fingerprint
	}
	if print1("a", "p", "{field: true, msg: x}") != print1("a", "p", "{field: true, msg: why}") {
		t.Error("with a field the message counts")
	}
	differ := []string{
		print1("a", "p", "{field: true, msg: x}"), print1("a", "p", "{msg: x}"), print1("a", "p", "{msg: why}"),
		print1("b", "p", "{msg: x}"), print1("a", "q", "{msg: x}"),
	}
	seen := map[string]bool{}
	for i, f := range differ {
		if seen[f] {
			t.Errorf("%d is as another", i)
		}
		seen[f] = true
	}
}

func TestRevision(t *testing.T) {
	revisionOf := func(files map[string]string, o Options) string {
		e, err := Compile(t.Context(), source(files), o)
		if err != nil {
			t.Fatal(err)
		}
		return e.Revision()
	}
	base := revisionOf(map[string]string{"a.rego": "package a", "data.yaml": "x: 1"}, Options{})
	same := revisionOf(map[string]string{"a.rego": "package a", "data.yaml": "x: 1", "a_test.rego": "package t", "README.md": "r"}, Options{Workers: 3})
	if base != same {
		t.Error("tests and READMEs change the revision")
	}
	for name, other := range map[string]string{
		"rego":       revisionOf(map[string]string{"a.rego": "package b", "data.yaml": "x: 1"}, Options{}),
		"data":       revisionOf(map[string]string{"a.rego": "package a", "data.yaml": "x: 2"}, Options{}),
		"namespaces": revisionOf(map[string]string{"a.rego": "package a", "data.yaml": "x: 1"}, Options{Namespaces: []string{"a"}}),
		"combine":    revisionOf(map[string]string{"a.rego": "package a", "data.yaml": "x: 1"}, Options{Combine: true}),
	} {
		if other == base {
			t.Errorf("%s does not change the revision", name)
		}
	}
}

func TestPointer(t *testing.T) {
	content := map[string]any{"spec": map[string]any{"containers": []any{
		map[string]any{"name": "a"}, map[string]any{"name": "b", "ports": []any{map[string]any{"name": "http"}}},
	}}}
	for _, c := range []struct {
		field        any
		want, stable string
	}{
		{"/spec/x~1y", "/spec/x~1y", "/spec/x/y"},
		{"spec.containers[1].image", "/spec/containers/1/image", "/spec/containers/name=b/image"},
		{"spec.containers[name=b].ports[name=http]", "/spec/containers/1/ports/0", "/spec/containers/name=b/ports/name=http"},
		{"spec.containers[name=none].image", "/spec/containers", "/spec/containers"},
		{`metadata.annotations["a.b/c"]`, "/metadata/annotations/a.b~1c", "/metadata/annotations/a.b/c"},
		{`.metadata['x'].y`, "/metadata/x/y", "/metadata/x/y"},
		{"$.spec", "/spec", "/spec"},
		{[]any{"spec", "containers", json.Number("0"), "a.b/c"}, "/spec/containers/0/a.b~1c", "/spec/containers/name=a/a.b/c"},
		{"spec[", "/spec", "/spec"},
		{"spec[]", "/spec", "/spec"},
		{"", "", ""},
		{true, "", ""},
		{[]any{true}, "", ""},
	} {
		value, err := ast.InterfaceToValue(c.field)
		if err != nil {
			t.Fatal(err)
		}
		got := pointer(value, content)
		if got != c.want || stableField(got, content) != c.stable {
			t.Errorf("%v: got %q, %q", c.field, got, stableField(got, content))
		}
	}
}

func TestBadNamespacePattern(t *testing.T) {
	if _, err := Compile(t.Context(), nil, Options{Namespaces: []string{"["}}); err == nil {
		t.Error("a bad pattern was accepted")
	}
}

func BenchmarkEvaluate(b *testing.B) {
	e, err := Compile(b.Context(), manyPolicies(30), Options{})
	if err != nil {
		b.Fatal(err)
	}
	head := manyObjects(400)
	for b.Loop() {
		e.Evaluate(b.Context(), Input{Head: head})
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/400, "µs/object")
}

func BenchmarkCompile(b *testing.B) {
	sources := manyPolicies(30)
	for b.Loop() {
		if _, err := Compile(b.Context(), sources, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
