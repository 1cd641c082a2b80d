package webhook

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// counter counts what is read of an endless body.
type counter struct{ read int64 }

func (c *counter) Read(p []byte) (int, error) {
	c.read += int64(len(p))
	return len(p), nil
}

func TestLargestBody(t *testing.T) {
	s := &saved{}
	body := bytes.Repeat([]byte(" "), maxBody)
	if got := answer(receiver(t, s, secret), delivery("push", guid, body)); got != http.StatusAccepted {
		t.Errorf("25 MiB: status %d, want 202", got)
	}
}

func TestAnnouncedTooLargeIsNotRead(t *testing.T) {
	s, body := &saved{}, &counter{}
	req := delivery("push", guid, nil)
	req.Body, req.ContentLength = io.NopCloser(body), 26<<20
	if got := answer(receiver(t, s, secret), req); got != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", got)
	}
	if body.read != 0 || s.calls != 0 {
		t.Errorf("%d bytes read, %d saved; want none", body.read, s.calls)
	}
}

func TestUnannouncedTooLargeIsReadToTheLimit(t *testing.T) {
	s, body := &saved{}, &counter{}
	req := delivery("push", guid, nil)
	req.Body, req.ContentLength = io.NopCloser(body), -1
	if got := answer(receiver(t, s, secret), req); got != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", got)
	}
	if body.read > 2*maxBody || s.calls != 0 {
		t.Errorf("%d bytes read, %d saved", body.read, s.calls)
	}
}

func TestTooLargeOverTheNetwork(t *testing.T) {
	s := &saved{}
	server := httptest.NewServer(receiver(t, s, secret).Handler())
	defer server.Close()
	req := delivery("push", guid, nil)
	req.Body, req.ContentLength = io.NopCloser(io.LimitReader(&counter{}, 26<<20)), 26<<20
	// The client asks first, so that the answer is not lost to a reset while it still sends.
	req.Header.Set("Expect", "100-continue")
	server.Client().Transport.(*http.Transport).ExpectContinueTimeout = time.Minute
	if got := post(t, server, req); got != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d, want 413", got)
	}
}

func TestUnsignedBodyIsNotRead(t *testing.T) {
	s, body := &saved{}, &counter{}
	req := delivery("push", guid, nil)
	req.Header.Del("X-Hub-Signature-256")
	req.Body, req.ContentLength = io.NopCloser(body), 1000
	if got := answer(receiver(t, s, secret), req); got != http.StatusUnauthorized || body.read != 0 {
		t.Errorf("status %d after %d bytes, want 401 after none", got, body.read)
	}
}

func TestLargeBodiesReturnTheirMemory(t *testing.T) {
	r := receiver(t, &saved{}, secret)
	for range 2 * largeBudget / maxBody {
		req := delivery("push", guid, nil)
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(nil)), -1
		if got := answer(r, req); got != http.StatusAccepted {
			t.Fatalf("status %d, want 202", got)
		}
	}
	if !r.memory.TryAcquire(largeBudget) {
		t.Error("memory was not given back")
	}
	if got := answer(r, delivery("push", "small", []byte(`{}`))); got != http.StatusAccepted {
		t.Errorf("small delivery while large ones fill the memory: status %d, want 202", got)
	}
}

func TestServerHasDeadlines(t *testing.T) {
	s := Server("127.0.0.1:0", http.NotFoundHandler())
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 {
		t.Errorf("a limit is missing: %+v", s)
	}
}
