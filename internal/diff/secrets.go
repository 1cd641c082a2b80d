package diff

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
)

// What a numbered value is. Values of different kinds never have the same mask, so that a malformed
// value that becomes a well-formed one is a change.
const (
	wellFormed = "value:"
	textual    = "text:"
	structured = "json:"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// learnObject takes note of an object's secrets. Few objects have any: the others are only looked at.
func (m *Masker) learnObject(o manifest.Object) {
	if o.IsSecret() && o.Stem != "" {
		m.learnHash(o)
	}
	if o.IsSecret() || holdsSecrets(o.Content) {
		m.object(o)
	}
}

// holdsSecrets says whether anything in a value would be numbered. It is a fast look at what
// [Masker.value] does.
func holdsSecrets(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		if isSecret(v) || hasSecretTemplate(v) {
			return true
		}
		for key, value := range v {
			if key == lastApplied || looksMasked(key) || holdsSecrets(value) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, holdsSecrets)
	case string:
		return looksMasked(v) || embedsSecret(v)
	}
	return false
}

// touches says whether masking changes anything in an object.
func (m *Masker) touches(o manifest.Object) bool {
	return o.IsSecret() || holdsSecrets(o.Content) || m.scrubber.finds(o.Content)
}

// object is a masked copy of an object's content.
func (m *Masker) object(o manifest.Object) map[string]any {
	switch {
	case o.Content == nil:
		return nil
	case o.IsSecret():
		return m.secret(o.Content, m.misplaced)
	case isSecret(o.Content):
		return m.nestedSecret(o.Content)
	case m.touches(o):
		return m.mapping(o.Content)
	}
	return manifest.Clone(o.Content).(map[string]any)
}

// value is a masked copy of anything. Maps are walked in order of their keys, which decides the
// numbers.
func (m *Masker) value(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if isSecret(v) {
			return m.nestedSecret(v)
		}
		return m.mapping(v)
	case []any:
		return m.list(v, m.value)
	case string:
		return m.string(v)
	case json.Number:
		if m.scrubber.finds(v) {
			return m.whole(v)
		}
	}
	return v
}

// mapping masks a map that is no Secret.
func (m *Masker) mapping(fields map[string]any) map[string]any {
	inner := m.value
	if hasSecretTemplate(fields) {
		inner = m.templates
	}
	return m.fields(fields, func(key string, value any) any {
		if key == lastApplied {
			return m.whole(value)
		}
		return inner(value)
	})
}

func (m *Masker) fields(fields map[string]any, mask func(key string, value any) any) map[string]any {
	masked := make(map[string]any, len(fields))
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		masked[m.string(key)] = mask(key, fields[key])
	}
	return masked
}

func (m *Masker) list(items []any, mask func(any) any) []any {
	masked := make([]any, len(items))
	for i, item := range items {
		masked[i] = mask(item)
	}
	return masked
}

func (m *Masker) string(s string) string {
	if looksMasked(s) || embedsSecret(s) {
		return m.number(textual + s)
	}
	return m.Text(s)
}

// isSecret says whether a map is a core/v1 Secret, or would become one: it may lack its apiVersion.
func isSecret(fields map[string]any) bool {
	if fields["kind"] != "Secret" {
		return false
	}
	version, ok := fields["apiVersion"]
	return !ok || version == "v1" || version == "" || version == nil
}

// secret masks a Secret. What else says what to do with fields that a Secret does not have.
func (m *Masker) secret(fields map[string]any, other func(any) any) map[string]any {
	return m.fields(fields, func(key string, value any) any {
		switch key {
		case "apiVersion", "kind", "metadata", "type", "immutable":
			return m.value(value)
		}
		switch strings.ToLower(key) {
		case "data":
			return m.secretMap(value, m.encoded)
		case "stringdata", "binarydata":
			return m.secretMap(value, m.clear)
		}
		return other(value)
	})
}

// nestedSecret masks a map of the kind Secret. Without metadata it may be a mere reference, whose
// other fields are no secrets.
func (m *Masker) nestedSecret(fields map[string]any) map[string]any {
	if _, ok := fields["metadata"]; ok {
		return m.secret(fields, m.misplaced)
	}
	return m.secret(fields, m.value)
}

// misplaced masks a field that a Secret does not have.
func (m *Masker) misplaced(v any) any { return m.secretMap(v, m.clear) }

// hasSecretTemplate says whether an object holds the template of a Secret without saying so.
func hasSecretTemplate(fields map[string]any) bool {
	switch fields["kind"] {
	case "SealedSecret", "ExternalSecret", "ClusterExternalSecret", "PushSecret":
		return true
	}
	return false
}

// templates masks what is below such an object: the data of everything called template.
func (m *Masker) templates(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return m.fields(v, func(key string, value any) any {
			if template, ok := value.(map[string]any); ok && key == "template" {
				return m.secretTemplate(template)
			}
			if key == lastApplied {
				return m.whole(value)
			}
			return m.templates(value)
		})
	case []any:
		return m.list(v, m.templates)
	}
	return m.value(v)
}

func (m *Masker) secretTemplate(fields map[string]any) any {
	return m.fields(fields, func(key string, value any) any {
		switch strings.ToLower(key) {
		case "data", "stringdata":
			return m.secretMap(value, m.clear)
		}
		return m.value(value)
	})
}

// secretMap masks the values of data or stringData. What is no map is masked whole, null is nothing.
func (m *Masker) secretMap(v any, mask func(any) any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		return m.fields(v, func(_ string, value any) any { return mask(value) })
	}
	return m.whole(v)
}

// encoded masks a value of data: base64, or whatever stands there instead.
func (m *Masker) encoded(v any) any {
	text, ok := v.(string)
	if !ok {
		return m.whole(v)
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return m.whole(v)
	}
	m.scrubber.add(pattern{text: strings.TrimSpace(text)})
	m.scrubber.addValue(string(decoded))
	return m.number(wellFormed + string(decoded))
}

// clear masks a value of stringData.
func (m *Masker) clear(v any) any {
	text, ok := v.(string)
	if !ok {
		return m.whole(v)
	}
	m.scrubber.addValue(text)
	return m.number(wellFormed + text)
}

// whole masks a value of any shape. It never has the mask of a well-formed secret value.
func (m *Masker) whole(v any) string {
	for _, text := range texts(v) {
		m.scrubber.addValue(text)
	}
	if text, ok := v.(string); ok {
		return m.number(textual + text)
	}
	text, err := json.Marshal(v)
	if err != nil {
		text = fmt.Append(nil, v)
	}
	return m.number(structured + string(text))
}

// number numbers a value and returns its mask.
func (m *Masker) number(value string) string {
	m.secrets.add(value)
	return m.secrets.mask(value)
}

// texts are the strings and numbers somewhere in a value.
func texts(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		all = append(all, v)
	case json.Number:
		all = append(all, string(v))
	case []any:
		for _, item := range v {
			all = append(all, texts(item)...)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, texts(v[key])...)
		}
	}
	return all
}

// looksMasked says whether a text of a manifest could be taken for a mask.
func looksMasked(s string) bool {
	open := strings.IndexByte(s, '(')
	return open >= 0 && (strings.Contains(s[open:], "(secret #") || strings.Contains(s[open:], hashMask))
}

var (
	embeddedKind = regexp.MustCompile(`\bkind\\?["']?\s*:\s*\\?["']?Secret\\?["']?\s*([,}\]#\\]|$|[\r\n])`)
	embeddedData = regexp.MustCompile(`\b(data|stringData)\\?["']?\s*:`)
)

// embedsSecret says whether a text holds the manifest of a Secret, in YAML or JSON, be it part of a
// template.
func embedsSecret(s string) bool {
	return strings.Contains(s, "Secret") && strings.Contains(s, "ata") &&
		embeddedKind.MatchString(s) && embeddedData.MatchString(s)
}
