package manifest

// Clone is a deep copy of a JSON value: what is not a map or a list is shared.
func Clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		copied := make(map[string]any, len(v))
		for key, value := range v {
			copied[key] = Clone(value)
		}
		return copied
	case []any:
		copied := make([]any, len(v))
		for i, item := range v {
			copied[i] = Clone(item)
		}
		return copied
	}
	return v
}
