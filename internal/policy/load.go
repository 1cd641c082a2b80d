package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"sigs.k8s.io/yaml"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// fileKind is what a file of a source is for.
type fileKind int

const (
	ignored fileKind = iota
	regoFile
	dataFile
)

// selection is which Rego files are loaded.
type selection int

const (
	evaluated selection = iota // without tests
	withTests
)

// module is a parsed Rego file.
type module struct {
	path   string // source name and file path
	source string
	pkg    string // without "data."
	text   string
	parsed *ast.Module
}

// library is what was loaded, and what is wrong with it.
type library struct {
	modules  map[string]*module // by path
	data     ast.Object
	dataRoot map[string]any
	sources  []string            // that should say something
	broken   map[string]struct{} // packages that are not evaluated
	unparsed map[string]struct{} // sources with a file that does not parse
	problems []plan.Finding
}

// load parses the sources. Packages of files that do not parse are broken.
func load(sources []Source, which selection) *library {
	lib := &library{modules: map[string]*module{}, dataRoot: map[string]any{}, broken: map[string]struct{}{}, unparsed: map[string]struct{}{}}
	for _, source := range sources {
		if !onlyData(source) {
			lib.sources = append(lib.sources, source.Name)
		}
		for _, f := range sortedFiles(source) {
			switch kindOf(source, f.Path) {
			case regoFile:
				if which == withTests || !isTest(f.Path) {
					lib.addModule(source, f)
				}
			case dataFile:
				lib.addData(source, f)
			}
		}
	}
	lib.data = lib.dataObject()
	return lib
}

// onlyData says that a source has data files and no Rego at all.
func onlyData(source Source) bool {
	hasData := false
	for _, f := range source.Files {
		switch kindOf(source, f.Path) {
		case regoFile:
			return false
		case dataFile:
			hasData = true
		}
	}
	return hasData
}

func sortedFiles(source Source) []File {
	return slices.SortedStableFunc(slices.Values(source.Files), func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.rego") }

func kindOf(source Source, name string) fileKind {
	switch path.Ext(name) {
	case ".rego":
		return regoFile
	case ".yaml", ".yml", ".json":
		base := strings.TrimSuffix(path.Base(name), path.Ext(name))
		if source.Data || base == "data" || strings.HasPrefix(name, "data/") {
			return dataFile
		}
	}
	return ignored
}

func (lib *library) addModule(source Source, f File) {
	name := path.Join(source.Name, f.Path)
	if _, twice := lib.modules[name]; twice {
		lib.problem(name, &manifest.Location{File: name, Line: 1}, "two policy sources have a file of this path")
		return
	}
	parsed, err := parse(name, string(f.Data))
	if err != nil {
		lib.unparsed[source.Name] = struct{}{}
		lib.parseProblem(name, string(f.Data), err)
		return
	}
	pkg := packageName(parsed.Package.Path)
	lib.modules[name] = &module{path: name, source: source.Name, pkg: pkg, text: string(f.Data), parsed: parsed}
	if reserved(pkg) {
		lib.broken[pkg] = struct{}{}
		lib.problem(pkg, location(parsed.Package.Location), "package "+pkg+" is taken, use another name")
	}
}

// reserved says that a package would stand where the documents of an evaluation stand.
func reserved(pkg string) bool {
	for _, taken := range []string{"conftest.file", "mergegate.application", "mergegate.pull"} {
		if pkg == taken || pkg == "mergegate" || strings.HasPrefix(pkg, taken+".") {
			return true
		}
	}
	return false
}

// parse parses as v1, else as v0.
func parse(name, text string) (*ast.Module, error) {
	v1, err1 := parseAs(ast.RegoV1, name, text)
	if err1 == nil {
		return v1, nil
	}
	v0, err0 := parseAs(ast.RegoV0, name, text)
	if err0 == nil {
		return v0, nil
	}
	if firstRow(err0) > firstRow(err1) { // the dialect that understood more of the file
		return nil, err0
	}
	return nil, err1
}

func parseAs(version ast.RegoVersion, name, text string) (*ast.Module, error) {
	return ast.ParseModuleWithOpts(name, text, ast.ParserOptions{ProcessAnnotation: true, RegoVersion: version})
}

func firstRow(err error) int {
	row := 0
	for _, e := range astErrors(err) {
		if e.Location != nil && (row == 0 || e.Location.Row < row) {
			row = e.Location.Row
		}
	}
	return row
}

func astErrors(err error) ast.Errors {
	if errs, ok := errors.AsType[ast.Errors](err); ok {
		return errs
	}
	if one, ok := errors.AsType[*ast.Error](err); ok {
		return ast.Errors{one}
	}
	return nil
}

// parseProblem reports a file that does not parse and breaks its package, as far as that can be told:
// without one of its files a package may not say what it should.
func (lib *library) parseProblem(name, text string, err error) {
	pkg := name
	if found := regexp.MustCompile(`(?m)^\s*package\s+([\w.]+)`).FindStringSubmatch(text); found != nil {
		pkg = found[1]
		lib.broken[pkg] = struct{}{}
	}
	errs := astErrors(err)
	if len(errs) == 0 {
		lib.problem(pkg, &manifest.Location{File: name, Line: 1}, "does not parse: "+err.Error())
		return
	}
	for _, e := range errs[:1] { // the following ones are mostly consequences
		lib.problem(pkg, location(e.Location), "does not parse: "+e.Message)
	}
}

// packageName is the path of a package without "data.".
func packageName(ref ast.Ref) string {
	return strings.TrimPrefix(ref.String(), "data.")
}

func location(loc *ast.Location) *manifest.Location {
	if loc == nil || loc.File == "" {
		return nil
	}
	return &manifest.Location{File: loc.File, Line: max(loc.Row, 1)}
}

// addData merges a data file into the root document, at the place that its directory gives it.
func (lib *library) addData(source Source, f File) {
	name := path.Join(source.Name, f.Path)
	place := path.Dir(f.Path)
	if !source.Data && (place == "data" || strings.HasPrefix(place, "data/")) {
		place = strings.TrimPrefix(strings.TrimPrefix(place, "data"), "/")
	}
	value, err := decodeData(f)
	if err == nil {
		err = mergeAt(lib.dataRoot, value, place)
	}
	if err != nil {
		lib.problem(name, &manifest.Location{File: name, Line: 1}, "data file: "+err.Error())
	}
}

// decodeData decodes a file of one YAML or JSON document.
func decodeData(f File) (any, error) {
	if path.Ext(f.Path) == ".json" {
		return decodeJSON(f.Data)
	}
	documents, err := splitDocuments(string(f.Data))
	if err != nil || len(documents) == 0 {
		return nil, err
	}
	if len(documents) > 1 {
		return nil, errors.New("has more than one YAML document")
	}
	text, err := yaml.YAMLToJSONStrict(documents[0])
	if err != nil {
		return nil, err
	}
	return decodeJSON(text)
}

// decodeJSON decodes one JSON document; numbers keep their text.
func decodeJSON(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has more than one JSON document")
	}
	return value, nil
}

func mergeAt(root map[string]any, value any, place string) error {
	document, ok := value.(map[string]any)
	if !ok {
		if value == nil {
			return nil
		}
		return errors.New("must be an object at its top")
	}
	if place != "." && place != "" {
		segments := strings.Split(place, "/")
		for _, segment := range slices.Backward(segments) {
			document = map[string]any{segment: document}
		}
	}
	for _, taken := range []string{"conftest", "mergegate"} {
		if _, used := document[taken]; used {
			return fmt.Errorf("data.%s is taken, use another name", taken)
		}
	}
	return merge(root, document, "data")
}

func merge(into, from map[string]any, at string) error {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		old, exists := into[key]
		if !exists {
			into[key] = from[key]
			continue
		}
		a, okA := old.(map[string]any)
		b, okB := from[key].(map[string]any)
		if !okA || !okB {
			return fmt.Errorf("%s.%s is also in another data file", at, key)
		}
		if err := merge(a, b, at+"."+key); err != nil {
			return err
		}
	}
	return nil
}

func (lib *library) dataObject() ast.Object {
	value, err := ast.InterfaceToValue(lib.dataRoot)
	if err != nil {
		lib.problem("data", nil, "data files: "+err.Error())
		return ast.NewObject()
	}
	return value.(ast.Object)
}

// problem records that a policy cannot be evaluated as it should.
func (lib *library) problem(name string, at *manifest.Location, message string) {
	lib.problems = append(lib.problems, plan.Finding{
		Policy: name, Severity: plan.SeverityError, Message: message, New: true, Location: at,
		Fingerprint: fingerprint("problem", name, message),
	})
}

// sortedProblems also names the policies by their ids and titles, where these are known.
func (lib *library) sortedProblems() []plan.Finding {
	line := func(f plan.Finding) (string, int) {
		if f.Location == nil {
			return "", 0
		}
		return f.Location.File, f.Location.Line
	}
	slices.SortFunc(lib.problems, func(a, b plan.Finding) int {
		fileA, lineA := line(a)
		fileB, lineB := line(b)
		return cmp.Or(strings.Compare(fileA, fileB), cmp.Compare(lineA, lineB),
			strings.Compare(a.Policy, b.Policy), strings.Compare(a.Message, b.Message))
	})
	return lib.problems
}
