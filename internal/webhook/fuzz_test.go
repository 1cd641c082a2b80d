package webhook

import (
	"net/http"
	"testing"
)

func FuzzReceiver(f *testing.F) {
	f.Add("push", guid, "application/json", []byte(`{"action":"x","installation":{"id":1},"repository":{"id":2}}`), true)
	f.Add("ping", "1", "application/json; charset=utf-8", []byte(`null`), true)
	f.Add("", "", "", []byte(nil), false)
	f.Add("push\x00", "../..", "multipart/form-data", []byte("\xff"), false)
	f.Fuzz(func(t *testing.T, event, guid, contentType string, body []byte, signed bool) {
		s := &saved{}
		req := delivery(event, guid, body)
		req.Header.Set("Content-Type", contentType)
		if !signed {
			req.Header.Set("X-Hub-Signature-256", sign("another secret", body))
		}
		status := answer(receiver(t, s, secret), req)
		if status >= 500 {
			t.Errorf("status %d", status)
		}
		if (s.calls == 1) != (status == http.StatusAccepted) {
			t.Errorf("status %d with %d saved", status, s.calls)
		}
		if !signed && status < 400 {
			t.Errorf("status %d for a forged signature", status)
		}
	})
}
