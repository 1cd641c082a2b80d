package policy

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/mergegate/mergegate/internal/manifest"
)

// scope is what a policy gets as its input.
type scope string

const (
	scopeObject      scope = "object"
	scopeApplication scope = "application"
	scopeChange      scope = "change"
	scopeCombine     scope = "combine"
)

// kinds are the patterns of METADATA custom.mergegate.kinds; none matches everything.
type kinds []kindPattern

type kindPattern struct {
	anyGroup bool
	group    string
	kind     string
}

func (k kindPattern) String() string {
	if k.anyGroup {
		return k.kind
	}
	return k.group + "/" + k.kind
}

func (k kindPattern) matches(id manifest.ID) bool {
	inGroup, groupErr := path.Match(k.group, id.Group)
	ofKind, kindErr := path.Match(k.kind, id.Kind)
	return groupErr == nil && kindErr == nil && (k.anyGroup || inGroup) && ofKind
}

func (ks kinds) match(id manifest.ID) bool {
	return len(ks) == 0 || slices.ContainsFunc(ks, func(k kindPattern) bool { return k.matches(id) })
}

func (ks kinds) names() []string {
	names := make([]string, len(ks))
	for i, k := range ks {
		names[i] = k.String()
	}
	return names
}

func parseKind(text string) (kindPattern, error) {
	var k kindPattern
	switch parts := strings.Split(text, "/"); len(parts) {
	case 1:
		k = kindPattern{anyGroup: true, kind: parts[0]}
	case 2:
		k = kindPattern{group: parts[0], kind: parts[1]}
	default:
		return k, fmt.Errorf("kind %q must be Kind or group/Kind, without a version", text)
	}
	_, groupErr := path.Match(k.group, "")
	_, kindErr := path.Match(k.kind, "")
	if groupErr != nil || kindErr != nil || k.kind == "" {
		return k, fmt.Errorf("kind %q is no pattern of Kind or group/Kind", text)
	}
	return k, nil
}

// metadata is what the annotations of a package, or of a rule, say.
type metadata struct {
	id          string
	title       string
	description string
	severity    string
	url         string
	scope       scope
	kinds       kinds
	native      bool // has custom.mergegate
}

// readMetadata reads one annotation. What it cannot honour is an error: nothing is ignored in silence.
func readMetadata(a *ast.Annotations) (metadata, error) {
	m := metadata{title: strings.TrimSpace(a.Title), description: strings.TrimSpace(a.Description), scope: scopeObject}
	if len(a.RelatedResources) > 0 {
		m.url = a.RelatedResources[0].Ref.String()
	}
	var err error
	if m.id, err = stringAt(a.Custom, "id"); err != nil {
		return m, err
	}
	if m.severity, err = stringAt(a.Custom, "severity"); err != nil {
		return m, err
	}
	native, ok := a.Custom["mergegate"]
	if !ok {
		return m, nil
	}
	m.native = true
	return m, m.readNative(native)
}

func stringAt(custom map[string]any, key string) (string, error) {
	value, ok := custom[key]
	if !ok {
		return "", nil
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("METADATA custom.%s must be a string", key)
	}
	return text, nil
}

func (m *metadata) readNative(value any) error {
	native, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("METADATA custom.mergegate must be an object with scope and kinds")
	}
	for _, key := range slices.Sorted(maps.Keys(native)) {
		var err error
		switch key {
		case "scope":
			err = m.readScope(native[key])
		case "kinds":
			err = m.readKinds(native[key])
		default:
			err = fmt.Errorf("METADATA custom.mergegate.%s is not known, only scope and kinds are", key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *metadata) readScope(value any) error {
	text, _ := value.(string) // what is no string is no scope either
	switch s := scope(text); s {
	case scopeObject, scopeApplication, scopeChange, scopeCombine:
		m.scope = s
		return nil
	}
	return fmt.Errorf("METADATA custom.mergegate.scope %v is not known: object, application, change or combine", value)
}

func (m *metadata) readKinds(value any) error {
	list, ok := value.([]any)
	if !ok || len(list) == 0 {
		return fmt.Errorf("METADATA custom.mergegate.kinds must be a list of Kind or group/Kind")
	}
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return fmt.Errorf("METADATA custom.mergegate.kinds: %v must be a string", item)
		}
		k, err := parseKind(text)
		if err != nil {
			return fmt.Errorf("METADATA custom.mergegate.kinds: %w", err)
		}
		m.kinds = append(m.kinds, k)
	}
	return nil
}
