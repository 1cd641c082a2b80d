package faultproxy

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Fault is what happens to one request. The zero Fault is no fault: the server answers.
type Fault struct {
	// Status is answered in place of the server, with Body and Header, unless it is 0.
	Status int
	Body   string
	Header map[string]string
	// Drop closes the connection before an answer.
	Drop bool
	// DropAfter closes the connection when so many bytes of the server's answer are sent.
	DropAfter int
	// Hang never answers. HangAfter stops after so many bytes of the server's answer, and never ends:
	// what a watch does that goes silent. Predictions use no watch, but lists can hang alike.
	Hang      bool
	HangAfter int
	// Delay is how late the answer comes.
	Delay time.Duration
	// Edit changes the body of what the server answers.
	Edit func([]byte) []byte
	// Limit replaces the size of the pages that are asked for.
	Limit string
}

// answer is what the server says.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// Times is a script by which a fault happens to the first requests of each key and no more.
func Times(n int, which func(Request) bool, f Fault) Script {
	return func(r Request) *Fault {
		if r.Before >= n || !which(r) {
			return nil
		}
		return &f
	}
}

// Always is a script by which a fault happens to every request that is meant.
func Always(which func(Request) bool, f Fault) Script {
	return func(r Request) *Fault {
		if !which(r) {
			return nil
		}
		return &f
	}
}

// Status is the body of an error as an API server writes it.
func Status(code int, reason, message string) string {
	return fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","code":%d,"reason":%q,"message":%q}`, code, reason, message)
}

// Every means every request.
func Every(Request) bool { return true }

func (f *Fault) play(w http.ResponseWriter, r *http.Request, closing <-chan struct{}, forward func() (answer, error)) {
	switch {
	case f.Drop:
		hangUp(r)
		return
	case f.Hang:
		await(r, closing, nil)
		return
	case f.Delay > 0:
		late := time.NewTimer(f.Delay)
		defer late.Stop()
		if !await(r, closing, late.C) {
			return
		}
	}
	if f.Status != 0 {
		f.reply(w)
		return
	}
	said, err := forward()
	if err != nil { // the client has gone, or the server: neither is told anything
		hangUp(r)
		return
	}
	if f.Edit != nil {
		said.body = f.Edit(said.body)
	}
	for _, name := range []string{"Content-Type", "Warning", "Retry-After", "Audit-Id"} {
		for _, value := range said.header.Values(name) {
			w.Header().Add(name, value)
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(said.body)))
	w.WriteHeader(said.status)
	f.send(w, r, closing, said.body)
}

// send sends a body, or the part of it after which the connection closes or falls silent.
func (f *Fault) send(w http.ResponseWriter, r *http.Request, closing <-chan struct{}, body []byte) {
	part := f.DropAfter + f.HangAfter
	if part == 0 {
		_, _ = w.Write(body) // the client may be gone
		return
	}
	_, _ = w.Write(body[:min(part, len(body)-1)])
	_ = http.NewResponseController(w).Flush()
	if f.DropAfter > 0 {
		hangUp(r)
		return
	}
	await(r, closing, nil)
}

// reply answers in place of the server.
func (f *Fault) reply(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(f.Status)
	_, _ = io.WriteString(w, f.Body) // the client may be gone
}

// await waits for a time, and says whether it came before the client gave up or the test ended.
func await(r *http.Request, closing <-chan struct{}, until <-chan time.Time) bool {
	select {
	case <-until:
		return true
	case <-r.Context().Done():
	case <-closing:
	}
	return false
}

// hangUp closes the connection of a request as a crash does, without a word of TLS. Of HTTP/2 this takes
// every other request on it along.
func hangUp(r *http.Request) {
	connection, ok := r.Context().Value(connectionKey{}).(net.Conn)
	if !ok {
		return
	}
	if wrapped, ok := connection.(interface{ NetConn() net.Conn }); ok {
		connection = wrapped.NetConn()
	}
	_ = connection.Close() // it may be closed already
}

// quiet is a log that nobody reads: broken handshakes are what these tests are about.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
