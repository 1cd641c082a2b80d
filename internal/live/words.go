package live

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxReason is how much of a server's message is kept. Admission webhooks may send whole documents.
const maxReason = 2000

// brief is a server's message for people: without the values that it quotes as whole documents, and cut.
func brief(message string) string {
	message = strings.TrimSpace(withoutDocuments(message))
	if len(message) <= maxReason {
		return message
	}
	return strings.ToValidUTF8(message[:maxReason], "") + fmt.Sprintf(" ... (%d bytes more)", len(message)-maxReason)
}

const invalidValue = "Invalid value: "

// withoutDocuments leaves out the maps and lists of which a server says that they are invalid: it quotes
// them as Go has them, with every field that is not set. What is wrong with them comes after.
func withoutDocuments(message string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(message, invalidValue)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		d := json.NewDecoder(strings.NewReader(after))
		var document json.RawMessage
		quotes := strings.HasPrefix(after, "{") || strings.HasPrefix(after, "[")
		if quotes && d.Decode(&document) == nil {
			out.WriteString(strings.TrimSuffix(invalidValue, ": "))
			after = after[d.InputOffset():]
		} else {
			out.WriteString(invalidValue)
		}
		message = after
	}
}
