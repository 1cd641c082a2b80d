package diff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, " ")
}

func TestUnified(t *testing.T) {
	tests := map[string]struct{ base, head, want string }{
		"created":                         {"", "a b", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
		"deleted":                         {"a", "", "@@ -1 +0,0 @@\n-a\n"},
		"changed":                         {"1 2 3 4 a 6 7 8 9", "1 2 3 4 b 6 7 8 9", "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-a\n+b\n 6\n 7\n 8\n"},
		"two changes whose contexts meet": {"a 1 2 3 4 5 6 b", "x 1 2 3 4 5 6 y", "@@ -1,8 +1,8 @@\n-a\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+y\n"},
		"two hunks":                       {"a 1 2 3 4 5 6 7 b", "x 1 2 3 4 5 6 7 b c", "@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n@@ -7,3 +7,4 @@\n 6\n 7\n b\n+c\n"},
		"inserted":                        {"1 2 3", "1 2 x 3", "@@ -1,3 +1,4 @@\n 1\n 2\n+x\n 3\n"},
		"moved block":                     {"a b c d e", "c d e a b", "@@ -1,5 +1,5 @@\n-a\n-b\n c\n d\n e\n+a\n+b\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, omitted := unified(lines(test.base), lines(test.head))
			if d := cmp.Diff("--- base\n+++ proposed\n"+test.want, got); d != "" || omitted != 0 {
				t.Errorf("omitted %d, diff (-want +got):\n%s", omitted, d)
			}
		})
	}
}

func TestUnifiedIsBounded(t *testing.T) {
	long := make([]string, 20000)
	for i := range long {
		long[i] = "line " + strconv.Itoa(i)
	}
	text, omitted := unified(nil, long)
	shown := strings.Count(text, "\n+line")
	if len(text) > maxText+200 || shown == 0 || omitted != len(long)-shown {
		t.Errorf("%d bytes, %d lines shown, %d omitted", len(text), shown, omitted)
	}
	if want := fmt.Sprintf("\n… %d more lines (sha256 ", omitted); !strings.Contains(text, want) {
		t.Errorf("the cut is not named: %q", text[len(text)-150:])
	}
	long[len(long)-1] = "another"
	if other, _ := unified(nil, long); other == text {
		t.Error("a difference in what is left out does not show")
	}
}

func TestUnifiedShortensLines(t *testing.T) {
	text, omitted := unified([]string{strings.Repeat("é", 5000) + "a"}, []string{strings.Repeat("é", 5000) + "b"})
	if omitted != 2 || len(text) > 3*maxLine || !strings.Contains(text, " more bytes (sha256 ") || !strings.Contains(text, "é… ") {
		t.Errorf("omitted %d in %d bytes: %q", omitted, len(text), text[:100])
	}
	removed, added, _ := strings.Cut(text, "\n+é")
	if strings.HasSuffix(removed, added[len(added)-70:]) {
		t.Error("both lines look the same")
	}
}

// check says whether blocks turn base into head.
func check(t *testing.T, base, head []string, blocks []block) {
	t.Helper()
	var got []string
	x, y := 0, 0
	for _, b := range blocks {
		got = append(got, base[x:b.base]...)
		if len(head[y:b.head]) != len(base[x:b.base]) {
			t.Fatalf("kept lines do not pair up before %+v", b)
		}
		got = append(got, head[b.head:b.headEnd]...)
		x, y = b.baseEnd, b.headEnd
	}
	got = append(got, base[x:]...)
	if !slices.Equal(got, head) {
		t.Errorf("%d blocks do not turn base (%d lines) into head (%d lines)", len(blocks), len(base), len(head))
	}
}

func FuzzAlign(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed, uint16(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, size uint16) {
		r := rand.New(rand.NewPCG(seed, 1))
		words := 1 + r.IntN(40)
		text := func() []string {
			all := make([]string, r.IntN(int(size%200)+1))
			for i := range all {
				all[i] = strconv.Itoa(r.IntN(words))
			}
			return all
		}
		base, head := text(), text()
		blocks := align(base, head)
		check(t, base, head, blocks)
		kept := len(base)
		for _, b := range blocks {
			kept -= b.baseEnd - b.base
		}
		if want := longestCommon(base, head); kept != want {
			t.Errorf("%d lines kept, %d have an order in common", kept, want)
		}
	})
}

// longestCommon is the length of the longest common subsequence, the slow way.
func longestCommon(a, b []string) int {
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

func TestAlignLargeTexts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	base := make([]string, 20000)
	for i := range base {
		base[i] = "common " + strconv.Itoa(r.IntN(50))
		if r.IntN(3) == 0 {
			base[i] = "unique " + strconv.Itoa(i)
		}
	}
	head := slices.Clone(base)
	for range 5000 {
		head[r.IntN(len(head))] = "changed " + strconv.Itoa(r.IntN(1000))
	}
	blocks := align(base, head)
	check(t, base, head, blocks)
	changed := 0
	for _, b := range blocks {
		changed += b.baseEnd - b.base
	}
	if changed > 6000 {
		t.Errorf("%d of %d lines differ, of which at most 5000 were changed", changed, len(base))
	}
	other := slices.Repeat([]string{"x", "y"}, 10000)
	check(t, base, other, align(base, other))
}
