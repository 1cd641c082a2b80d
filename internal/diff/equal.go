package diff

import (
	"encoding/json"
	"strconv"
	"strings"
)

// equal compares two JSON values. Numbers are compared by value, everything else by type and content.
func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && equalMaps(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && equalLists(a, b)
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case nil:
		return b == nil
	}
	left, ok := numberText(a)
	if !ok {
		return false
	}
	right, ok := numberText(b)
	return ok && (left == right || canonicalNumber(left) == canonicalNumber(right))
}

func equalMaps(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for k, left := range a {
		right, ok := b[k]
		if !ok || !equal(left, right) {
			return false
		}
	}
	return true
}

func equalLists(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// numberText is the text of a JSON number, and false for a value that is none. Besides json.Number,
// which is what manifests hold, it takes the types that other decoders give.
func numberText(v any) (string, bool) {
	switch v := v.(type) {
	case json.Number:
		return string(v), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case uint64:
		return strconv.FormatUint(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	}
	return "", false
}

// canonicalNumber writes a decimal number as significant digits and exponent, so that 1, 1.0 and
// 10e-1 have the same text. It never expands an exponent. What is no number comes back as it is.
func canonicalNumber(text string) string {
	mantissa, exponent, scientific := strings.Cut(strings.ToLower(text), "e")
	power := 0
	if scientific {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > 1e9 || n < -1e9 {
			return text
		}
		power = n
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return text
	}
	power -= len(fraction)
	significant := strings.TrimRight(digits, "0")
	power += len(digits) - len(significant)
	significant = strings.TrimLeft(significant, "0")
	if significant == "" {
		return "0"
	}
	if negative {
		significant = "-" + significant
	}
	return significant + "e" + strconv.Itoa(power)
}

// plainNumber writes a number as digits without an exponent where that is short, so that numbers of
// equal value read the same.
func plainNumber(text string) string {
	canonical := canonicalNumber(text)
	digits, exponent, ok := strings.Cut(canonical, "e")
	if !ok {
		return canonical
	}
	power, err := strconv.Atoi(exponent)
	if err != nil || power > 21 || power < -21 {
		return canonical
	}
	if power >= 0 {
		return digits + strings.Repeat("0", power)
	}
	digits, negative := strings.CutPrefix(digits, "-")
	if missing := 1 - power - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) + power
	plain := digits[:point] + "." + digits[point:]
	if negative {
		return "-" + plain
	}
	return plain
}
