package github

import (
	"fmt"
	"log/slog"
	"regexp"
)

const redacted = "[redacted]"

// secrets matches GitHub's tokens, in the old form and in the one that is several hundred characters long with dots,
// JSON web tokens, private keys, credentials in URLs and in authorization headers.
var secrets = regexp.MustCompile(`(?s)` +
	`gh[a-z]_[A-Za-z0-9._-]{36,}` +
	`|github_pat_[A-Za-z0-9_]{22,}` +
	`|\bv1\.[0-9a-f]{40}\b` +
	`|\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*` +
	`|eC1hY2Nlc3MtdG9rZW46[A-Za-z0-9+/]+=*` + // base64 of "x-access-token:"
	`|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)

var (
	urlPassword   = regexp.MustCompile(`(://)[^/\s@]+@`)
	authorization = regexp.MustCompile(`(?i)(authorization["']?[:=]\s*["']?)(basic|bearer|token)\s+[^\s"']+`)
)

// Redact replaces everything in text that looks like a credential.
func Redact(text string) string {
	text = secrets.ReplaceAllString(text, redacted)
	text = urlPassword.ReplaceAllString(text, "${1}"+redacted+"@")
	return authorization.ReplaceAllString(text, "${1}${2} "+redacted)
}

// RedactAttr is for slog.HandlerOptions.ReplaceAttr: no credential gets into a log by way of a message, an error or a
// value that is printed.
func RedactAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Redact(a.Value.String()))
	case slog.KindAny:
		text := fmt.Sprintf("%+v", a.Value.Any())
		if raw, ok := a.Value.Any().([]byte); ok {
			text = string(raw)
		}
		if clean := Redact(text); clean != text {
			a.Value = slog.StringValue(clean)
		}
	default: // numbers, times and the like hold no credential; a group's members come one by one
	}
	return a
}
