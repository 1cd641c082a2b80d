// Package hook delivers webhooks the way GitHub does: signed, in order, once, without retry, and logged for redelivery.
// It knows HTTP and signatures; it must not know what the events mean.
package hook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"time"
)

// Target is the webhook of one App.
type Target struct {
	// HookID and AppID go into the headers.
	HookID int64
	AppID  int64
	URL    string
	Secret string
}

// Event is one thing that happened, rendered for one installation.
type Event struct {
	Name         string
	Action       string
	Installation int64
	Repository   int64
	Payload      json.RawMessage
}

// Delivery is one attempt to deliver an event. A redelivery is a new Delivery with the same GUID.
type Delivery struct {
	ID          int64
	GUID        string
	At          time.Time
	Duration    time.Duration
	Redelivery  bool
	Event       Event
	URL         string
	Header      http.Header
	StatusCode  int
	Status      string
	Response    string
	ResponseHdr http.Header
}

// OK tells whether the receiver took the delivery.
func (d Delivery) OK() bool { return d.StatusCode >= 200 && d.StatusCode < 300 }

// Sign is the value of X-Hub-Signature-256 for a body.
func Sign(secret string, body []byte) string {
	return "sha256=" + mac(sha256.New, secret, body)
}

func mac(h func() hash.Hash, secret string, body []byte) string {
	m := hmac.New(h, []byte(secret))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// NewGUID makes a random (version 4) UUID, the form of X-GitHub-Delivery.
func NewGUID() string {
	var b [16]byte
	rand.Read(b[:]) // crypto/rand.Read never returns an error
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Header is what GitHub sends along with a payload to an App's webhook.
func Header(t Target, guid, event string, body []byte) http.Header {
	h := http.Header{}
	h.Set("Accept", "*/*")
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/6ca5d3b")
	h.Set("X-GitHub-Delivery", guid)
	h.Set("X-GitHub-Event", event)
	h.Set("X-GitHub-Hook-ID", strconv.FormatInt(t.HookID, 10))
	h.Set("X-GitHub-Hook-Installation-Target-ID", strconv.FormatInt(t.AppID, 10))
	// The value for Apps is from GitHub's documentation by example; not checked against the live service.
	h.Set("X-GitHub-Hook-Installation-Target-Type", "integration")
	if t.Secret != "" {
		h.Set("X-Hub-Signature", "sha1="+mac(sha1.New, t.Secret, body))
		h.Set("X-Hub-Signature-256", Sign(t.Secret, body))
	}
	return h
}
