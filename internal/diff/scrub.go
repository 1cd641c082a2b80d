package diff

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
)

// minPattern is the least length of a text that is masked wherever it occurs. Shorter secret values
// (true, 5432, admin) are masked in their Secret alone. Of a text longer than maxPattern the beginning
// is looked for, and what holds that is masked whole: a search takes bounded time at every position.
const (
	minPattern = 8
	maxPattern = 128
)

// pattern is a text that is masked wherever it occurs.
type pattern struct {
	text   string
	whole  bool   // the beginning of a longer text
	mask   string // of a generated name, which is masked in names as well; else the text is a secret
	public bool   // part of the vocabulary: not masked
}

// scrubber finds many texts in one pass: by their first eight bytes, behind a filter that most
// positions of a text do not pass, then by each length that texts with this beginning have.
type scrubber struct {
	filter   []uint64
	patterns map[string]*pattern
	lengths  map[uint64][]int // longest first
	changed  bool
}

func (s *scrubber) empty() bool { return len(s.patterns) == 0 }

// addValue adds a secret value in the forms in which it may occur elsewhere. Each form is a value of
// its own: were clear and base64 masked alike, a change from one to the other would not show.
func (s *scrubber) addValue(value string) {
	trimmed := strings.TrimSpace(value)
	if len(trimmed) < minPattern {
		return
	}
	quoted := strconv.Quote(trimmed)
	forms := []string{trimmed, url.QueryEscape(trimmed), url.PathEscape(trimmed), quoted[1 : len(quoted)-1]}
	if quoted, err := json.Marshal(trimmed); err == nil { // a string always encodes
		forms = append(forms, string(quoted[1:len(quoted)-1]))
	}
	for _, clear := range []string{value, trimmed} {
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, encoding.EncodeToString([]byte(clear)))
		}
	}
	for _, form := range forms {
		s.add(pattern{text: form})
	}
}

func (s *scrubber) add(p pattern) {
	if len(p.text) < minPattern || looksMasked(p.text) {
		return
	}
	if len(p.text) > maxPattern {
		p.text, p.whole = strings.Clone(p.text[:maxPattern]), true
	}
	if s.patterns == nil {
		s.patterns, s.lengths, s.filter = map[string]*pattern{}, map[uint64][]int{}, make([]uint64, 1<<10)
	}
	if _, known := s.patterns[p.text]; known {
		s.patterns[p.text].whole = s.patterns[p.text].whole || p.whole
		return
	}
	s.patterns[p.text] = &p
	start := word(p.text)
	at, known := slices.BinarySearchFunc(s.lengths[start], len(p.text), func(have, want int) int { return want - have })
	if !known {
		s.lengths[start] = slices.Insert(s.lengths[start], at, len(p.text))
	}
	bit := filterBit(start)
	s.filter[bit>>6] |= 1 << (bit & 63)
	s.changed = true
}

// word is the first eight bytes of a text as a number.
func word(text string) uint64 {
	var w uint64
	for i := range 8 {
		w |= uint64(text[i]) << (8 * i)
	}
	return w
}

func filterBit(w uint64) uint64 { return w * 0x9E3779B97F4A7C15 >> 48 }

// each calls visit for the patterns in a text, by position, the longest first. It goes on at the
// position that visit returns; 0 asks for the next pattern.
func (s *scrubber) each(text string, visit func(at int, p *pattern) (next int)) {
	if s.empty() || len(text) < minPattern {
		return
	}
	w := word(text)
	for at := 0; ; {
		next := at + 1
		if bit := filterBit(w); s.filter[bit>>6]&(1<<(bit&63)) != 0 {
			next = max(next, s.visit(text, at, s.lengths[w], visit))
		}
		if next+minPattern > len(text) {
			return
		}
		if next == at+1 {
			w = w>>8 | uint64(text[next+minPattern-1])<<56
		} else {
			w = word(text[next:])
		}
		at = next
	}
}

func (s *scrubber) visit(text string, at int, lengths []int, visit func(at int, p *pattern) (next int)) int {
	for _, n := range lengths {
		if at+n > len(text) {
			continue
		}
		if p := s.patterns[text[at:at+n]]; p != nil {
			if next := visit(at, p); next > 0 {
				return next
			}
		}
	}
	return 0
}

// replace masks patterns in a text, the leftmost one first, of those the longest. What mask says of
// a pattern replaces it; where it says nothing, the pattern stays.
func (s *scrubber) replace(text string, mask func(*pattern) string) string {
	var masked strings.Builder
	done, whole := 0, ""
	s.each(text, func(at int, p *pattern) int {
		by := mask(p)
		switch {
		case by == "":
			return 0
		case p.whole:
			whole = by
			return len(text)
		}
		masked.WriteString(text[done:at])
		masked.WriteString(by)
		done = at + len(p.text)
		return done
	})
	switch {
	case whole != "":
		return whole
	case done == 0:
		return text
	}
	return masked.String() + text[done:]
}

// finds says whether anything in a value would be replaced.
func (s *scrubber) finds(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if s.finds(key) || s.finds(value) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, s.finds)
	case json.Number:
		return s.finds(string(v))
	case string:
		found := false
		s.each(v, func(_ int, p *pattern) int {
			if p.public {
				return 0
			}
			found = true
			return len(v)
		})
		return found
	}
	return false
}

// publish exempts the patterns that are part of a word of the vocabulary.
func (s *scrubber) publish(vocabulary map[string]bool) {
	for text, seen := range vocabulary {
		if seen && !s.changed {
			continue
		}
		vocabulary[text] = true
		s.each(text, func(_ int, p *pattern) int {
			p.public = p.public || p.mask == ""
			return 0
		})
	}
	s.changed = false
}

// identifier is what a key or an image looks like; other texts are no vocabulary.
var identifier = regexp.MustCompile(`^[A-Za-z0-9._/:@-]{8,320}$`)

// learnVocabulary collects the words of an object that a plan shows in any case.
func (m *Masker) learnVocabulary(o manifest.Object) {
	id := Identity(o)
	for _, text := range []string{id.Group, id.Kind, id.Namespace, id.Name} {
		m.learnWord(text)
	}
	m.learnKeys(o.Content)
}

func (m *Masker) learnWord(text string) {
	if _, known := m.learned[text]; !known && len(text) >= minPattern {
		m.learned[text] = false
	}
}

func (m *Masker) learnKeys(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if _, known := m.learned[key]; !known && identifier.MatchString(key) {
				m.learned[key] = false
			}
			if image, ok := value.(string); ok && key == "image" && identifier.MatchString(image) {
				m.learnWord(image)
			}
			m.learnKeys(value)
		}
	case []any:
		for _, item := range v {
			m.learnKeys(item)
		}
	}
}
