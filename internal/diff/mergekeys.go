package diff

import (
	"strconv"
	"strings"
)

// A mergeKey is the fields that together name an item of a list.
type mergeKey []keyPart

// keyPart is one field of a merge key. With a fallback it may be absent.
type keyPart struct {
	name     string // dotted for a nested field
	fallback string
}

func by(names ...string) mergeKey {
	key := mergeKey{}
	for _, name := range names {
		key = append(key, keyPart{name: name})
	}
	return key
}

// mergeKeys are the keys to try for a list under a field name, in this order, after Kubernetes' own
// merge keys of its built-in types and, where those have none, what tells items apart in practice.
// The first one that names every item of both sides uniquely is used. A field that is atomic in
// Kubernetes and whose items must not be matched has none.
func mergeKeys(field string) []mergeKey {
	name := by("name")
	switch field {
	case "tolerations":
		return nil
	case "ports":
		protocol := keyPart{name: "protocol", fallback: "TCP"}
		return []mergeKey{
			{{name: "containerPort"}, protocol},
			{{name: "port"}, protocol},
			name,
		}
	case "volumeMounts":
		return []mergeKey{by("mountPath")}
	case "volumeDevices":
		return []mergeKey{by("devicePath")}
	case "hostAliases", "podIPs", "hostIPs":
		return []mergeKey{by("ip")}
	case "conditions":
		return []mergeKey{by("type")}
	case "ownerReferences":
		return []mergeKey{by("uid"), by("apiVersion", "kind", "name")}
	case "topologySpreadConstraints":
		return []mergeKey{by("topologyKey", "whenUnsatisfiable")}
	case "readinessGates":
		return []mergeKey{by("conditionType")}
	case "subjects":
		return []mergeKey{{{name: "kind"}, {name: "name"}, {name: "namespace", fallback: "-"}}}
	case "rules":
		return []mergeKey{by("host"), name}
	case "paths":
		return []mergeKey{{{name: "path"}, {name: "pathType", fallback: "-"}}}
	case "items":
		return []mergeKey{by("kind", "metadata.name"), name, by("key"), by("path")}
	}
	return []mergeKey{name, by("id"), by("key"), by("metadata.name")}
}

// labels names every item of both sides of a list under a field, and says whether that worked: each
// item has the key, and no two items of one side have the same.
func labels(field string, base, head []any) (before, after []string, ok bool) {
	for _, key := range mergeKeys(field) {
		if before, ok = key.label(base); !ok {
			continue
		}
		if after, ok = key.label(head); ok {
			return before, after, true
		}
	}
	return nil, nil, false
}

func (k mergeKey) label(items []any) ([]string, bool) {
	labels := make([]string, len(items))
	seen := make(map[string]bool, len(items))
	for i, item := range items {
		fields, ok := item.(map[string]any)
		if !ok {
			return nil, false
		}
		label, ok := k.of(fields)
		if !ok || seen[label] {
			return nil, false
		}
		labels[i], seen[label] = label, true
	}
	return labels, true
}

// of is the label of one item: name=web, or containerPort=80,protocol=TCP.
func (k mergeKey) of(item map[string]any) (string, bool) {
	var label strings.Builder
	for _, part := range k {
		value, ok := part.of(item)
		if !ok {
			return "", false
		}
		if value == "-" && part.fallback == "-" {
			continue
		}
		if label.Len() > 0 {
			label.WriteByte(',')
		}
		label.WriteString(part.name + "=" + value)
	}
	return label.String(), true
}

func (p keyPart) of(item map[string]any) (string, bool) {
	name := p.name
	for {
		first, rest, nested := strings.Cut(name, ".")
		if !nested {
			break
		}
		inner, ok := item[first].(map[string]any)
		if !ok {
			return "", false
		}
		item, name = inner, rest
	}
	value, ok := item[name]
	if !ok {
		return p.fallback, p.fallback != ""
	}
	if text, ok := value.(string); ok {
		return labelText(text), true
	}
	text, ok := numberText(value)
	return canonicalLabel(text), ok
}

// canonicalLabel writes equal numbers alike.
func canonicalLabel(number string) string { return labelText(plainNumber(number)) }

// labelText is a value inside brackets: quoted where it would end them or read as another one.
func labelText(text string) string {
	if text == "" || text == "-" || strings.ContainsAny(text, "[],=\"\\ ") || strings.ContainsFunc(text, isControl) {
		return strconv.Quote(text)
	}
	return text
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }
