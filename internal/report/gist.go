package report

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/plan"
)

// maxInline is how long the two values of a change may be, in bytes, to stand in its title.
const maxInline = 120

// gist is the one field that an update changes, with its values, when they are short.
func (c change) gist() string {
	if c.Action != plan.Update || len(c.Fields) == 0 || len(c.restarts) > 0 {
		return ""
	}
	if len(c.Fields) > 1 {
		return plural(len(c.Fields), "field")
	}
	f := c.Fields[0]
	name := fieldName(cmp.Or(f.At, f.Path))
	before, after := value(f.Before), value(f.After)
	short := len(name)+len(before)+len(after) <= maxInline && !strings.ContainsAny(before+after, "\n") && scalar(f.Before) && scalar(f.After)
	switch {
	case f.Before == nil && short:
		return name + " added: " + after
	case f.Before == nil:
		return name + " added"
	case f.After == nil && short:
		return name + " removed: " + before
	case f.After == nil:
		return name + " removed"
	case short:
		return name + ": " + before + " → " + after
	default:
		return name
	}
}

func scalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// restart says that nothing but the names of generated objects changes in a pod template, with write
// for the form of a name; empty for any other change.
func (c change) restart(write func(string) string) string {
	if len(c.restarts) == 0 {
		return ""
	}
	return "restarts with the new " + list(c.restarts, maxNames, write)
}

// Fields of these names say nothing without what they are of; those above them that match vague do not
// say enough either.
var (
	needsOwner = regexp.MustCompile(`^(name|namespace|value|key|kind|type|path|port|number)$`)
	vague      = regexp.MustCompile(`(Ref|^valueFrom)$`)
	plainOwner = regexp.MustCompile(`^(spec|template|metadata|data|stringData)$`)
)

// fieldName is the end of a path for people that tells which field is meant: image of
// spec.containers[name=a.b].image, envFrom[0].configMapRef.name of what ends in that.
func fieldName(at string) string {
	parts, separator := pathParts(at)
	first := len(parts) - 1
	if first > 0 && needsOwner.MatchString(parts[first]) {
		first--
		for first > 0 && vague.MatchString(parts[first]) && !plainOwner.MatchString(parts[first-1]) {
			first--
		}
	}
	return cutRunes(strings.Join(parts[first:], separator), maxInline)
}

// pathParts takes a path apart, be it one for people or a JSON pointer.
func pathParts(at string) (parts []string, separator string) {
	if strings.HasPrefix(at, "/") {
		return strings.Split(at[1:], "/"), "/"
	}
	within, start := false, 0
	for i, c := range at {
		switch c {
		case '[', ']':
			within = c == '['
		case '.':
			if !within {
				parts = append(parts, at[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, at[start:]), "."
}

// renaming is a generated name that changes because the content does.
type renaming struct{ namespace, before, after string }

// renamings are the ConfigMaps and Secrets of an application that get another generated name, by their
// name without the generated part.
func renamings(a plan.Application) map[renaming]string {
	out := map[renaming]string{}
	for _, c := range a.Changes {
		if c.Action != plan.Update || c.Object.Group != "" || c.Object.Kind != "ConfigMap" && c.Object.Kind != "Secret" {
			continue
		}
		if r := renamed(c); r != (renaming{}) {
			out[r] = c.Object.Name
		}
	}
	return out
}

// namedField is a field that a diff shows like the name of the object, or that can hold one.
var namedField = regexp.MustCompile(`^/[^/]+(?:/name)?$`)

// renamed reads the two names from the diff, since a generated name is not listed as a field.
func renamed(c plan.Change) renaming {
	if slices.ContainsFunc(c.Fields, func(f plan.Field) bool { return namedField.MatchString(f.Path) }) {
		return renaming{}
	}
	r := renaming{namespace: c.Object.Namespace}
	for line := range strings.Lines(diffBody(c.Diff)) {
		if name, ok := strings.CutPrefix(line, "-  name: "); ok {
			r.before = strings.Trim(strings.TrimSpace(name), `"'`)
		}
		if name, ok := strings.CutPrefix(line, "+  name: "); ok {
			r.after = strings.Trim(strings.TrimSpace(name), `"'`)
		}
	}
	if r.before == "" || r.after == "" || r.before == r.after {
		return renaming{}
	}
	return r
}

// podReference is a field of a pod template that names a ConfigMap or Secret.
var podReference = regexp.MustCompile(`^/spec/template/spec/.*/(?:secretName|(?:configMap|secret|(?:configMap|secret)(?:Key)?Ref)/name)$`)

// restartsOf names what the pods of a change restart with, when the change is nothing but that.
func restartsOf(c plan.Change, generated map[renaming]string) []string {
	if c.Action != plan.Update || len(generated) == 0 {
		return nil
	}
	var out []string
	for _, f := range c.Fields {
		stem, ok := generated[renaming{c.Object.Namespace, value(f.Before), value(f.After)}]
		if !ok || !podReference.MatchString(f.Path) {
			return nil
		}
		if !slices.Contains(out, stem) {
			out = append(out, stem)
		}
	}
	return out
}
