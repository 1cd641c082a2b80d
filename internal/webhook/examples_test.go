package webhook

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/mergegate/mergegate/internal/github"
)

// TestRecordedPayloads sends real payloads through the receiver, and what it saves through the parser.
func TestRecordedPayloads(t *testing.T) {
	file, err := os.Open("../github/testdata/webhooks-examples.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &saved{}
	r := receiver(t, s, secret)
	understood := 0
	for lines, n := json.NewDecoder(unzipped), 0; lines.More(); n++ {
		var example struct {
			Event   string
			Payload json.RawMessage
		}
		if err := lines.Decode(&example); err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprintf("example-%d", n)
		if got := answer(r, delivery(example.Event, id, example.Payload)); got != http.StatusAccepted && example.Event != "ping" {
			t.Errorf("%s: status %d, want 202", example.Event, got)
		}
		d := s.byID[id]
		if _, err := github.Parse(example.Event, d.Body); err == nil {
			understood++
		} else if example.Event != "ping" && !errors.Is(err, github.ErrIgnored) {
			t.Errorf("%s: %v", example.Event, err)
		}
		var want struct {
			Action     string
			Repository struct{ ID int64 }
		}
		if example.Event != "ping" && json.Unmarshal(example.Payload, &want) == nil && (d.Action != want.Action || d.RepositoryID != want.Repository.ID) {
			t.Errorf("%s: sniffed %q %d, want %q %d", example.Event, d.Action, d.RepositoryID, want.Action, want.Repository.ID)
		}
	}
	if understood != 36 {
		t.Errorf("%d payloads understood, want 36", understood)
	}
}
