package webhook

import (
	"encoding/json"
	"net/http"
)

// Delivery is one authenticated webhook delivery.
type Delivery struct {
	GUID  string // X-GitHub-Delivery; a redelivery has the GUID of the first attempt
	Event string // X-GitHub-Event

	// Action, InstallationID and RepositoryID are read from the payload where it has them; otherwise they are zero.
	Action         string
	InstallationID int64
	RepositoryID   int64

	// Header holds the headers that help to understand a delivery later; never a credential or a signature.
	Header map[string]string
	// Body is what was signed, byte for byte. It is signed, not necessarily sensible: it may not even be JSON.
	Body []byte
}

// keptHeaders are stored with a delivery; all others are dropped, so that no credential is ever stored.
func keptHeaders() []string {
	return []string{
		"Content-Type", "User-Agent", "X-GitHub-Event", "X-GitHub-Delivery", "X-GitHub-Hook-ID",
		"X-GitHub-Hook-Installation-Target-Type", "X-GitHub-Hook-Installation-Target-ID",
		"X-GitHub-Enterprise-Version", "X-GitHub-Enterprise-Host", "X-GitHub-Tenant",
	}
}

func kept(h http.Header) map[string]string {
	out := map[string]string{}
	for _, name := range keptHeaders() {
		if value := h.Get(name); value != "" {
			out[name] = value
		}
	}
	return out
}

// sniff reads the fields that deliveries are found by. What has another type than expected, and a body that is not
// JSON, leaves them zero: whoever interprets the payload reports that.
func (d *Delivery) sniff() {
	var payload struct {
		Action       json.RawMessage `json:"action"`
		Installation json.RawMessage `json:"installation"`
		Repository   json.RawMessage `json:"repository"`
	}
	if json.Unmarshal(d.Body, &payload) != nil {
		return
	}
	if action := ""; json.Unmarshal(payload.Action, &action) == nil && token.MatchString(action) {
		d.Action = action
	}
	d.InstallationID, d.RepositoryID = id(payload.Installation), id(payload.Repository)
}

// id is the id member of a JSON object, or 0.
func id(object json.RawMessage) int64 {
	var with struct {
		ID json.RawMessage `json:"id"`
	}
	var n int64
	if json.Unmarshal(object, &with) != nil || json.Unmarshal(with.ID, &n) != nil {
		return 0
	}
	return n
}
