package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/plan"
)

// golden compares with testdata/golden/<name>; UPDATE=1 writes it instead.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: UPDATE=1 go test writes it", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), UPDATE=1 go test accepts it:\n%s", file, diff)
	}
}

func examples() map[string]plan.Plan {
	return map[string]plan.Plan{
		"image-bump":       imageBump(),
		"policy-violation": policyViolation(),
		"render-error":     renderFailure(),
		"deleted-claim":    deletedClaim(),
		"fleet":            fleet(3000),
		"hostile":          hostile(),
		"nothing":          newFixture(5).plan(),
		"live-mixed":       liveMixed(),
		"live-drift":       liveDrift(),
		"live-silent":      liveSilent(),
		"live-fleet":       liveFleet(),
		"live-offline":     liveOffline(),
		"live-replace":     liveReplace(),
		"live-hostile":     liveHostile(),
	}
}

func TestGolden(t *testing.T) {
	for name, p := range examples() {
		t.Run(name, func(t *testing.T) {
			o := fixtureOptions
			if name == "hostile" {
				o.Notices = []string{"@acme/admins asked: <b>\n# x", "second"}
			}
			golden(t, name+".comment.md", Comment(p, o))
			golden(t, name+".checks.md", checksText(CheckRuns(p, CheckOptions{BaseName: "main", DetailsURL: o.DetailsURL, BlobURL: o.BlobURL})))
			if name == "fleet" {
				return // the whole of it is large and holds nothing that the others do not
			}
			for _, f := range Formats() {
				var b strings.Builder
				if err := Write(&b, f, p); err != nil {
					t.Fatal(err)
				}
				golden(t, name+"."+string(f), b.String())
			}
			page, err := HTML(p, PageOptions{Title: "acme/gitops #42", BaseName: "main", BlobURL: o.BlobURL, PullURL: "https://github.com/acme/gitops/pull/42"})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".html", string(page))
		})
	}
}

func TestGoldenPending(t *testing.T) {
	for name, s := range map[string]Pending{
		"queued":      {Phase: Queued, Head: headSHA, Base: baseSHA},
		"in-progress": {Phase: InProgress, Head: headSHA, Base: baseSHA},
		"superseded":  {Phase: Superseded, Head: headSHA, NewHead: baseSHA},
		"failed":      {Phase: Failed, Head: headSHA, Base: baseSHA, Reference: "4f1c2", Reason: "GitHub did not answer @anyone"},
	} {
		t.Run(name, func(t *testing.T) {
			golden(t, "pending-"+name+".comment.md", PendingComment(s, fixtureOptions))
			golden(t, "pending-"+name+".checks.md", checksText(PendingCheckRuns(s, CheckOptions{BaseName: "release-1", BaseInName: true})))
		})
	}
}
