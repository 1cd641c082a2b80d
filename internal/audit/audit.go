// Package audit says what a tamper-evident record of events is. Each event carries the hash of
// itself and of everything before it, so an event that was edited, removed or moved no longer
// fits. It knows no database and no clock; who appends gives time and number.
//
// The chain proves order and content up to its head, the hash of the last event. Whoever can
// rewrite the whole chain can also rewrite its end: to prove that nothing is missing at the end,
// keep a head outside (a log, a release note) and pass it to [Chain.Close].
package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"time"
)

// Event is something that somebody or something did.
type Event struct {
	Seq     int64     // 1, 2, 3, ... without gaps
	At      time.Time // microseconds count, finer parts do not
	Actor   string    // who: "user/7", "mergegate"
	Action  string    // what: "evaluation.published", "command.plan"
	Subject string    // on what: "pull/1/2"
	Detail  string    // how, as JSON or as text
	Hash    string    // see [Hash]
}

// BrokenError says where a chain no longer fits and why.
type BrokenError struct {
	Seq    int64 // number of the event at which the chain breaks
	Reason string
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("audit event %d: %s", e.Seq, e.Reason)
}

// Hash is the hash of an event that follows an event whose hash is prev; prev is "" for the first.
// The event's own Hash does not count. Every part is hashed with its length, so that no two
// different events can look alike.
func Hash(prev string, event Event) string {
	sum := sha256.New()
	writeText(sum, "mergegate/audit/v1")
	writeText(sum, prev)
	writeNumber(sum, event.Seq)
	writeNumber(sum, event.At.UnixMicro())
	for _, part := range []string{event.Actor, event.Action, event.Subject, event.Detail} {
		writeText(sum, part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func writeText(sum hash.Hash, text string) {
	writeNumber(sum, int64(len(text)))
	sum.Write([]byte(text)) // a hash never fails to write
}

func writeNumber(sum hash.Hash, number int64) {
	sum.Write(binary.BigEndian.AppendUint64(nil, uint64(number))) // a hash never fails to write
}

// Chain checks events as they come, so that a long record needs no memory. The zero value stands
// before the first event.
type Chain struct {
	Seq  int64  // number of the last event seen
	Head string // its hash
}

// Next takes the next event. A *BrokenError says that it does not follow.
func (c *Chain) Next(event Event) error {
	if event.Seq != c.Seq+1 {
		return &BrokenError{Seq: event.Seq, Reason: fmt.Sprintf("follows event %d: events are missing, repeated or moved", c.Seq)}
	}
	if want := Hash(c.Head, event); event.Hash != want {
		return &BrokenError{Seq: event.Seq, Reason: "its hash does not fit: it or an event before it was changed"}
	}
	c.Seq, c.Head = event.Seq, event.Hash
	return nil
}

// Close compares the end of the chain with an end that is known from elsewhere.
func (c *Chain) Close(seq int64, head string) error {
	if c.Seq != seq || c.Head != head {
		return &BrokenError{Seq: c.Seq, Reason: fmt.Sprintf("is the last one, but the record is known to end with event %d", seq)}
	}
	return nil
}

// Verify checks a whole record from its first event. What is missing at its end shows only to
// [Chain.Close].
func Verify(events []Event) error {
	var chain Chain
	for _, event := range events {
		if err := chain.Next(event); err != nil {
			return err
		}
	}
	return nil
}
