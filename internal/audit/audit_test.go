package audit

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func chain(n int) []Event {
	events := make([]Event, n)
	prev := ""
	for i := range events {
		events[i] = Event{Seq: int64(i + 1), At: time.Unix(int64(i), 0), Actor: "user/7", Action: "command.plan", Subject: "pull/1/2", Detail: `{"n":1}`}
		events[i].Hash = Hash(prev, events[i])
		prev = events[i].Hash
	}
	return events
}

func TestVerifyAcceptsWhatWasWritten(t *testing.T) {
	for _, n := range []int{0, 1, 2, 50} {
		if err := Verify(chain(n)); err != nil {
			t.Errorf("Verify(%d events) = %v", n, err)
		}
	}
}

func TestVerifyFindsEveryChange(t *testing.T) {
	edits := map[string]func(*Event){
		"time":    func(e *Event) { e.At = e.At.Add(time.Microsecond) },
		"actor":   func(e *Event) { e.Actor = "user/8" },
		"action":  func(e *Event) { e.Action = "command.help" },
		"subject": func(e *Event) { e.Subject += "1" },
		"detail":  func(e *Event) { e.Detail = "" },
		"hash":    func(e *Event) { e.Hash = Hash("", *e) + "0" },
		"move a byte between fields": func(e *Event) {
			e.Actor, e.Action = e.Actor+e.Action[:1], e.Action[1:]
		},
		"edit and rehash alone": func(e *Event) { e.Detail = "x"; e.Hash = Hash("", *e) },
	}
	for name, edit := range edits {
		events := chain(5)
		edit(&events[2])
		expectBroken(t, name, events, 3)
	}
}

func TestVerifyFindsDeletionAndReordering(t *testing.T) {
	events := chain(5)
	expectBroken(t, "first deleted", events[1:], 2)
	expectBroken(t, "middle deleted", slices.Delete(chain(5), 1, 3), 4)
	expectBroken(t, "repeated", append(chain(5), events[4]), 5)
	swapped := chain(5)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	expectBroken(t, "swapped", swapped, 3)
	renumbered := slices.Delete(chain(5), 1, 2)
	for i := range renumbered {
		renumbered[i].Seq = int64(i + 1)
	}
	expectBroken(t, "deleted and renumbered", renumbered, 2)
}

func TestCloseFindsTheMissingEnd(t *testing.T) {
	events := chain(5)
	var c Chain
	for _, e := range events[:4] {
		if err := c.Next(e); err != nil {
			t.Fatal(err)
		}
	}
	var broken *BrokenError
	if err := c.Close(5, events[4].Hash); !errors.As(err, &broken) {
		t.Errorf("Close after the last event was cut off = %v, want a *BrokenError", err)
	}
	if err := c.Close(4, events[3].Hash); err != nil {
		t.Errorf("Close(4) = %v", err)
	}
}

func expectBroken(t *testing.T, what string, events []Event, seq int64) {
	t.Helper()
	var broken *BrokenError
	if err := Verify(events); !errors.As(err, &broken) {
		t.Errorf("%s: Verify = %v, want a *BrokenError", what, err)
	} else if broken.Seq != seq {
		t.Errorf("%s: broken at %d, want %d", what, broken.Seq, seq)
	}
}

// FuzzChain changes one thing anywhere in a chain; no change may go unnoticed.
func FuzzChain(f *testing.F) {
	f.Add("user/7", "plan", "pull/1/2", "{}", uint8(3), uint8(1))
	f.Add("", "", "", "", uint8(0), uint8(0))
	f.Add("a", "ab", "b", "", uint8(4), uint8(6))
	f.Fuzz(func(t *testing.T, actor, action, subject, detail string, at, how uint8) {
		events := chain(5)
		target := &events[int(at)%5]
		before := *target
		switch how % 6 {
		case 0:
			target.Actor, target.Action, target.Subject, target.Detail = actor, action, subject, detail
		case 1:
			target.Seq = int64(len(actor)) - 1
		case 2:
			target.At = target.At.Add(time.Duration(len(detail)) * time.Microsecond)
		case 3:
			target.Hash = detail
		case 4: // an editor who also recomputes that event's hash
			target.Detail = detail
			target.Hash = Hash(target.Hash, *target)
		case 5:
			other := &events[(int(at)+1+int(how)%4)%5]
			*target, *other = *other, *target
		}
		changed := !slices.Equal(events, chain(5))
		if err := Verify(events); (err != nil) != changed {
			t.Errorf("event %+v became %+v: Verify = %v", before, *target, err)
		}
	})
}
