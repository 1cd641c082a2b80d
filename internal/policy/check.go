package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/types"

	"github.com/mergegate/mergegate/internal/plan"
)

// Format gives a Rego file as `opa fmt` writes it, in the version of Rego that it is in.
func Format(name string, text []byte) ([]byte, error) {
	parsed, err := parse(name, string(text))
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", name, err)
	}
	version := parsed.RegoVersion()
	formatted, err := format.SourceWithOpts(name, text, format.Opts{
		RegoVersion: version, ParserOptions: &ast.ParserOptions{RegoVersion: version, ProcessAnnotation: true},
	})
	if err != nil {
		return nil, fmt.Errorf("format %s: %w", name, err)
	}
	return formatted, nil
}

// Check gives the problems of the sources, tests included, as [Engine.Problems] does, and those of OPA's
// strict mode besides: unused variables and imports.
func Check(ctx context.Context, sources []Source) ([]plan.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("check policies: %w", err)
	}
	lib := load(sources, withTests)
	compiler := lib.compile(func() *ast.Compiler { return newTestCompiler().WithStrict(true) })
	lib.checkUse(lib.policies(compiler, Options{}), Options{})
	return lib.sortedProblems(), nil
}

// TestResult is what became of one Rego test.
type TestResult struct {
	Name    string // data.main_test.test_root
	File    string
	Line    int
	Passed  bool
	Skipped bool   // its name starts with todo_
	Message string // why it did not pass
	Output  string // what it printed
}

// Test runs the tests of the sources. What does not compile is a test that did not pass.
func Test(ctx context.Context, sources []Source) ([]TestResult, error) {
	lib := load(sources, withTests)
	lib.compile(newTestCompiler)
	results := lib.failedTests()
	runner := tester.NewRunner().
		SetCompiler(newTestCompiler().WithEnablePrintStatements(true)).
		SetStore(&dataStore{root: lib.data}).
		SetModules(lib.goodModules()).
		RaiseBuiltinErrors(true).
		AddCustomBuiltins(testBuiltins(sources))
	done, err := runner.RunTests(ctx, reading{})
	if err != nil {
		return nil, fmt.Errorf("run policy tests: %w", err)
	}
	for r := range done {
		results = append(results, testResult(r))
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("run policy tests: %w", err)
	}
	slices.SortFunc(results, func(a, b TestResult) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Name, b.Name))
	})
	return results, nil
}

func (lib *library) failedTests() []TestResult {
	var results []TestResult
	for _, p := range lib.sortedProblems() {
		r := TestResult{Name: p.Policy, Message: p.Message}
		if p.Location != nil {
			r.File, r.Line = p.Location.File, p.Location.Line
		}
		results = append(results, r)
	}
	return results
}

func testResult(r *tester.Result) TestResult {
	result := TestResult{
		Name: r.Package + "." + r.Name, Passed: r.Pass(), Skipped: r.Skip, Output: string(r.Output),
	}
	if at := location(r.Location); at != nil {
		result.File, result.Line = at.File, at.Line
	}
	switch {
	case r.Error != nil:
		result.Message = r.Error.Error()
	case r.Fail:
		result.Message = strings.Join(append([]string{"is not true"}, failedCases(r.SubResults)...), " ")
	}
	return result
}

func failedCases(cases tester.SubResultMap) []string {
	var failed []string
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		if cases[name].Fail {
			failed = append(failed, fmt.Sprintf("in case %q", name))
			failed = append(failed, failedCases(cases[name].SubResults)...)
		}
	}
	return failed
}

func newTestCompiler() *ast.Compiler {
	c := capabilities()
	c.Builtins = append(c.Builtins,
		&ast.Builtin{Name: parseFile().Name, Decl: parseFile().Decl},
		&ast.Builtin{Name: parseFiles().Name, Decl: parseFiles().Decl},
	)
	return ast.NewCompiler().WithCapabilities(c).SetErrorLimit(0)
}

// parseFile declares conftest's parse_config_file(path), for tests only.
func parseFile() *rego.Function {
	return &rego.Function{Name: "parse_config_file", Decl: types.NewFunction(types.Args(types.S), types.A)}
}

// parseFiles declares conftest's parse_combined_config_files(paths), for tests only.
func parseFiles() *rego.Function {
	return &rego.Function{
		Name: "parse_combined_config_files",
		Decl: types.NewFunction(types.Args(types.NewArray(nil, types.S)), types.A),
	}
}

// fixtures are the files that tests may read: those of the sources, relative to the test's own file.
type fixtures map[string][]byte

func testBuiltins(sources []Source) []*tester.Builtin {
	files := fixtures{}
	for _, source := range sources {
		for _, f := range source.Files {
			files[path.Join(source.Name, f.Path)] = f.Data
		}
	}
	text := parseConfigDeclaration()
	return []*tester.Builtin{
		{Decl: text, Func: rego.Function2(&rego.Function{Name: text.Name, Decl: text.Decl},
			func(_ rego.BuiltinContext, kind, text *ast.Term) (*ast.Term, error) {
				return parseConfigTerms(kind, text)
			})},
		{Decl: &ast.Builtin{Name: parseFile().Name, Decl: parseFile().Decl}, Func: rego.Function1(parseFile(), files.one)},
		{Decl: &ast.Builtin{Name: parseFiles().Name, Decl: parseFiles().Decl}, Func: rego.Function1(parseFiles(), files.all)},
	}
}

func (f fixtures) one(bctx rego.BuiltinContext, name *ast.Term) (*ast.Term, error) {
	_, contents, err := f.read(bctx, name)
	return contents, err
}

// read parses the file of a name relative to the calling file.
func (f fixtures) read(bctx rego.BuiltinContext, name *ast.Term) (string, *ast.Term, error) {
	text, ok := name.Value.(ast.String)
	if !ok {
		return "", nil, errors.New("the path must be a string")
	}
	file := path.Join(path.Dir(bctx.Location.File), string(text))
	data, ok := f[file]
	if !ok {
		return "", nil, fmt.Errorf("no file %s in the policy sources", file)
	}
	value, err := parseConfig(strings.TrimPrefix(path.Ext(file), "."), string(data))
	if err != nil {
		return "", nil, err
	}
	return file, ast.NewTerm(value), nil
}

// all combines files as --combine does: each document of a file, and each element of an array, by itself.
func (f fixtures) all(bctx rego.BuiltinContext, names *ast.Term) (*ast.Term, error) {
	list, ok := names.Value.(*ast.Array)
	if !ok {
		return nil, errors.New("the paths must be an array")
	}
	var combined []*ast.Term
	for i := range list.Len() {
		file, contents, err := f.read(bctx, list.Elem(i))
		if err != nil {
			return nil, err
		}
		documents := []*ast.Term{contents}
		if several, ok := contents.Value.(*ast.Array); ok {
			documents = documents[:0]
			several.Foreach(func(document *ast.Term) { documents = append(documents, document) })
		}
		for _, document := range documents {
			combined = append(combined, ast.ObjectTerm(
				[2]*ast.Term{ast.StringTerm("path"), ast.StringTerm(file)},
				[2]*ast.Term{ast.StringTerm("contents"), document},
			))
		}
	}
	return ast.ArrayTerm(combined...), nil
}
