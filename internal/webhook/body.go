package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json"
}

// reserve waits until there is room for the request's body and returns what gives the room back.
func (r *Receiver) reserve(req *http.Request) (release func(), err error) {
	share := req.ContentLength
	if share >= 0 && share <= largeBody || share > maxBody { // the latter is refused without being read
		return func() {}, nil
	}
	if share < 0 {
		share = maxBody
	}
	ctx, cancel := context.WithTimeout(req.Context(), largeWait)
	defer cancel()
	if err := r.memory.Acquire(ctx, share); err != nil {
		return nil, fmt.Errorf("wait for memory for a body of %d bytes: %w", req.ContentLength, err)
	}
	return func() { r.memory.Release(share) }, nil
}

// readBody reads at most maxBody bytes.
func readBody(w http.ResponseWriter, req *http.Request) ([]byte, int, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if err == nil {
		return body, 0, nil
	}
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return nil, http.StatusRequestEntityTooLarge, err
	}
	return nil, http.StatusBadRequest, fmt.Errorf("read body: %w", err)
}

// signature is the HMAC that the sender claims. The older SHA-1 header is not looked at.
func signature(h http.Header) ([]byte, error) {
	text, ok := strings.CutPrefix(h.Get("X-Hub-Signature-256"), "sha256=")
	if !ok {
		return nil, errors.New("X-Hub-Signature-256 is missing")
	}
	mac, err := hex.DecodeString(text)
	if err != nil || len(mac) != sha256.Size {
		return nil, errors.New("X-Hub-Signature-256 is malformed")
	}
	return mac, nil
}

// signedBy computes the HMAC with every secret, whatever the earlier ones gave, and compares in constant time.
func signedBy(secrets [][]byte, body, want []byte) bool {
	match := false
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(body) // a hash never returns an error
		if hmac.Equal(mac.Sum(nil), want) {
			match = true
		}
	}
	return match
}
