package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func source(files map[string]string) []Source {
	s := Source{Name: "policies"}
	for name, text := range files {
		s.Files = append(s.Files, File{Path: name, Data: []byte(text)})
	}
	return []Source{s}
}

func TestRegoTests(t *testing.T) {
	results, err := Test(t.Context(), source(map[string]string{
		"a/main.rego": "package main\ndeny contains \"x\" if { input.kind in data.forbidden }",
		"data.yaml":   "forbidden: [Pod]",
		"a/main_test.rego": `package main_test
import data.main
test_passes if count(main.deny) == 1 with input as {"kind": "Pod"}
test_file if count(main.deny) == 1 with input as parse_config_file("fixtures/pod.yaml")
test_text if count(main.deny) == 0 with input as parse_config("yaml", "kind: Service")
test_files if { some d in parse_combined_config_files(["fixtures/pod.yaml", "fixtures/two.yaml"]); d.contents.kind == "B"; d.path == "policies/a/fixtures/two.yaml" }
test_fails if { print("seen", 1); 1 == 2 }
test_error if to_number("x") == 1
test_application if data.mergegate.application.environment == "production" with data.mergegate.application as {"environment": "production"}
todo_test_later if false
test_cases[name] if { some name, want in {"good": 1, "bad": 2}; want == 1 }
`,
		"a/fixtures/pod.yaml": "kind: Pod",
		"a/fixtures/two.yaml": "kind: A\n---\nkind: B",
		"old_test.rego":       "package old\ntest_v0 { 1 == 1 }",
		"broken_test.rego":    "package broken\ntest_x if { y }",
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, r := range results {
		fmt.Fprintln(&got, r.File, r.Line, r.Name, r.Passed, r.Skipped, r.Message, strings.TrimSpace(r.Output))
	}
	want := `policies/a/main_test.rego 3 data.main_test.test_passes true false  
policies/a/main_test.rego 4 data.main_test.test_file true false  
policies/a/main_test.rego 5 data.main_test.test_text true false  
policies/a/main_test.rego 6 data.main_test.test_files true false  
policies/a/main_test.rego 7 data.main_test.test_fails false false is not true seen 1
policies/a/main_test.rego 8 data.main_test.test_error false false policies/a/main_test.rego:8: eval_builtin_error: to_number: strconv.ParseFloat: parsing "x": invalid syntax 
policies/a/main_test.rego 9 data.main_test.test_application true false  
policies/a/main_test.rego 10 data.main_test.todo_test_later false true  
policies/a/main_test.rego 11 data.main_test.test_cases false false is not true in case "bad" 
policies/broken_test.rego 2 broken false false does not compile: var y is unsafe 
policies/old_test.rego 2 data.old.test_v0 true false  
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestCheckIsStrict(t *testing.T) {
	problems, err := Check(t.Context(), source(map[string]string{
		"a.rego":      "package main\nimport data.unused\ndeny contains \"x\" if { y := 1 }",
		"b.rego":      "package fine\ndeny contains \"x\"",
		"b_test.rego": "package fine_test\ntest_x if { unused := 1 }",
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, line(p))
	}
	want := []string{
		"error main policies/a.rego:2: does not compile: import data.unused unused",
		"error main policies/a.rego:3: does not compile: assigned var y unused",
		"error fine_test policies/b_test.rego:2: does not compile: assigned var unused unused",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestFormat(t *testing.T) {
	for text, want := range map[string]string{
		"package a\ndeny contains  \"x\" if  1==1":              "package a\n\ndeny contains \"x\" if 1 == 1\n",
		"package a\ndeny[msg]  { msg := \"stays v0\" }":         "package a\n\ndeny[msg] {\n\tmsg := \"stays v0\"\n}\n",
		"package a\nimport rego.v1\ndeny contains \"x\"if true": "package a\n\nimport rego.v1\n\ndeny contains \"x\"\n",
	} {
		got, err := Format("a.rego", []byte(text))
		if err != nil || string(got) != want {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	if _, err := Format("a.rego", []byte("package a\ndeny {")); err == nil {
		t.Error("a file that does not parse was formatted")
	}
}
