package policy

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/types"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// unavailable says why a builtin of OPA is not there, and "" for one that is.
func unavailable(name string) string {
	switch name {
	case "http.send", "net.lookup_ip_addr":
		return "policies have no network"
	case "opa.runtime":
		return "policies do not see the environment"
	case "json.match_schema", "json.verify_schema":
		return "its schemas can read files"
	case "parse_config_file", "parse_combined_config_files":
		return "policies have no files, except in tests; parse_config takes text"
	case "rego.parse_module":
		return "policies do not read code that they are given"
	case "time.now_ns", "io.jwt.decode_verify",
		"crypto.x509.parse_and_verify_certificates", "crypto.x509.parse_and_verify_certificates_with_options":
		return "a plan does not depend on the clock"
	case "rand.intn", "uuid.rfc4122", "io.jwt.encode_sign", "io.jwt.encode_sign_raw":
		return "a plan does not depend on chance"
	}
	return ""
}

// capabilities are what policies may use: functions of their operands, nothing else.
func capabilities() *ast.Capabilities {
	c := ast.CapabilitiesForThisVersion()
	builtins := make([]*ast.Builtin, 0, len(c.Builtins)+1)
	for _, b := range c.Builtins {
		if unavailable(b.Name) == "" {
			builtins = append(builtins, b)
		}
	}
	c.Builtins = append(builtins, parseConfigDeclaration())
	c.AllowNet = []string{}
	return c
}

func newCompiler() *ast.Compiler {
	return ast.NewCompiler().WithCapabilities(capabilities()).SetErrorLimit(0)
}

// parseConfigDeclaration declares conftest's parse_config(type, text).
func parseConfigDeclaration() *ast.Builtin {
	return &ast.Builtin{
		Name:        "parse_config",
		Description: "Parses YAML or JSON text. Several YAML documents become an array.",
		Decl:        types.NewFunction(types.Args(types.S, types.S), types.A),
	}
}

func builtins() map[string]*topdown.Builtin {
	return map[string]*topdown.Builtin{"parse_config": {Decl: parseConfigDeclaration(), Func: parseConfigBuiltin}}
}

func parseConfigBuiltin(_ topdown.BuiltinContext, operands []*ast.Term, iter func(*ast.Term) error) error {
	parsed, err := parseConfigTerms(operands[0], operands[1])
	if err != nil {
		return err
	}
	return iter(parsed)
}

func parseConfigTerms(kind, text *ast.Term) (*ast.Term, error) {
	k, okKind := kind.Value.(ast.String)
	t, okText := text.Value.(ast.String)
	if !okKind || !okText {
		return nil, errors.New("parse_config: both operands must be strings")
	}
	value, err := parseConfig(string(k), string(t))
	if err != nil {
		return nil, err
	}
	return ast.NewTerm(value), nil
}

func parseConfig(kind, text string) (ast.Value, error) {
	var value any
	var err error
	switch kind {
	case "yaml", "yml":
		value, err = parseYAML(text)
	case "json":
		value, err = decodeJSON([]byte(text))
	default:
		err = fmt.Errorf("type %q is not available, only yaml and json", kind)
	}
	if err != nil {
		return nil, fmt.Errorf("parse_config: %w", err)
	}
	return ast.InterfaceToValue(value)
}

// parseYAML gives the only document, or else an array of all.
func parseYAML(text string) (any, error) {
	documents, err := splitDocuments(text)
	if err != nil {
		return nil, err
	}
	values := make([]any, len(documents))
	for i, document := range documents {
		encoded, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, err
		}
		if values[i], err = decodeJSON(encoded); err != nil {
			return nil, err
		}
	}
	if len(values) == 1 {
		return values[0], nil
	}
	return values, nil
}

// splitDocuments splits a YAML stream into its documents.
func splitDocuments(text string) ([][]byte, error) {
	decoder := yamlv3.NewDecoder(strings.NewReader(text))
	var documents [][]byte
	for {
		var node yamlv3.Node
		err := decoder.Decode(&node)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		document, err := yamlv3.Marshal(&node)
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}
