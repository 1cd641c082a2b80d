package diff

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
)

// maskPattern finds a mask. hashMask begins the mask of a content hash.
var maskPattern = regexp.MustCompile(`\((secret|hash) #[0-9]{4,}\)`)

const hashMask = "(hash #"

// Masker replaces the secrets in the objects of one plan by numbered masks. What is masked:
//
//   - in a core/v1 Secret every value of data and stringData, and of every field that a Secret does
//     not have (a misspelt stringdata holds a secret too): `(secret #0001)`. A data or stringData of
//     the wrong shape is masked whole.
//   - the same in a Secret nested anywhere in another object, and in the templates of SealedSecret
//     and ExternalSecret objects; a text that itself holds a Secret's manifest is masked whole.
//   - the annotation kubectl.kubernetes.io/last-applied-configuration of every object, whole.
//   - the content hash in the name of a generated Secret, since one can guess against it, wherever
//     that hash occurs: `db-(hash #0001)`. So is the hash in any other generated name whose object
//     holds something masked.
//   - a secret value of at least eight bytes wherever it occurs in a text of any object, clear, in
//     base64 and escaped. Values that are part of the set's vocabulary, that is of an object's
//     name, namespace or kind, of a key or of an image, stay there: a user called postgres cannot be
//     hidden in a plan about Deployment/postgres, and masking it would only scramble that plan.
//   - a text that looks like a mask already, so that nobody can forge one.
//
// Values are numbered in order of appearance over the plan. Equal values have equal masks: of data
// after base64, of stringData as it is. A mask shows nothing else of a value, not even its length.
//
// A Masker is for one plan and one goroutine. The masks depend on the order of calls.
type Masker struct {
	secrets  register
	hashes   register
	scrubber scrubber
	learned  map[string]bool // vocabulary
}

// NewMasker returns a masker that knows no secret yet.
func NewMasker() *Masker {
	return &Masker{
		secrets: register{kind: "secret", numbers: map[string]int{}},
		hashes:  register{kind: "hash", numbers: map[string]int{}},
		learned: map[string]bool{},
	}
}

// Learn takes note of the secrets of some sets without masking anything. [Masker.Set] learns by
// itself; call Learn with both sides first, or with every set of a plan, so that a value that is
// secret in one of them is masked in all.
func (m *Masker) Learn(sets ...manifest.Set) {
	for _, set := range sets {
		for _, o := range set {
			m.learnObject(o)
		}
	}
	if m.scrubber.empty() {
		return
	}
	for _, set := range sets {
		for _, o := range set {
			m.learnVocabulary(o)
		}
	}
	m.scrubber.publish(m.learned)
}

// Set returns a deep copy of a set without secrets, sorted again since masked names may differ.
func (m *Masker) Set(set manifest.Set) manifest.Set {
	m.Learn(set)
	m.learnGenerated(set)
	masked := make(manifest.Set, len(set))
	for i, o := range set {
		o.Content = m.object(o)
		o.ID.Name = m.scrubber.replace(o.ID.Name, hashOnly)
		if suffix, ok := secretSuffix(o); ok {
			o.ID.Name = o.Stem + "-" + m.hashes.mask(suffix)
			rename(o.Content, o.ID.Name)
		}
		masked[i] = o
	}
	masked.Sort()
	return masked
}

// Text masks the secrets that the masker knows in a text that is about the objects: an error, a
// finding. Values of fewer than eight bytes and the set's vocabulary stay.
// A text that holds a long value is masked whole.
func (m *Masker) Text(text string) string {
	return m.scrubber.replace(text, func(p *pattern) string { return m.occurrence(p, text) })
}

// Value is the mask of one value that is to be kept, though it stands in no Secret: of what a cluster
// holds and Git does not. Elsewhere the value is not looked for.
func (m *Masker) Value(value string) string { return m.number(wellFormed + value) }

// Fingerprints says for each mask what it stands for: an HMAC-SHA256 of the value under a key that
// nobody but the installation knows. Call it last. It is what a plan's digest binds in place of the values. Without
// a key it is nil: a hash that anyone can compute could be guessed against. The result is itself
// confidential; only a digest over it may be published.
func (m *Masker) Fingerprints(key []byte) map[string]string {
	if len(key) == 0 {
		return nil
	}
	prints := make(map[string]string, len(m.secrets.numbers)+len(m.hashes.numbers))
	m.secrets.fingerprints(key, prints)
	m.hashes.fingerprints(key, prints)
	return prints
}

// register numbers values in order of appearance.
type register struct {
	kind    string
	numbers map[string]int
}

// add numbers a value and says whether it is new.
func (r *register) add(value string) bool {
	if _, known := r.numbers[value]; known {
		return false
	}
	r.numbers[value] = len(r.numbers) + 1
	return true
}

// mask is the mask of a value that has a number.
func (r *register) mask(value string) string {
	return fmt.Sprintf("(%s #%04d)", r.kind, r.numbers[value])
}

func (r *register) fingerprints(key []byte, into map[string]string) {
	for value := range r.numbers {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(r.kind + "\x00" + value)) // never fails
		into[r.mask(value)] = hex.EncodeToString(mac.Sum(nil))
	}
}

// learnGenerated takes note of the hashes in generated names whose objects hold something masked.
func (m *Masker) learnGenerated(set manifest.Set) {
	for _, o := range set {
		if o.Stem != "" && m.touches(o) {
			m.learnHash(o)
		}
	}
}

func (m *Masker) learnHash(o manifest.Object) {
	suffix := generatedSuffix(o)
	m.hashes.add(suffix)
	mask := m.hashes.mask(suffix)
	if len(suffix) >= minPattern {
		m.scrubber.add(pattern{text: suffix, mask: mask})
	} else {
		m.scrubber.add(pattern{text: o.ID.Name, mask: o.Stem + "-" + mask})
	}
}

// occurrence is the mask of a pattern that was found in a text, and nothing for one that stays.
func (m *Masker) occurrence(p *pattern, text string) string {
	switch {
	case p.public || p.mask != "":
		return p.mask
	case !p.whole:
		text = p.text
	}
	return m.number(wellFormed + text)
}

// hashOnly is the mask of a pattern in a name.
func hashOnly(p *pattern) string { return p.mask }

// generatedSuffix is the content hash at the end of a generated name, or all of a name that does not
// begin with its stem.
func generatedSuffix(o manifest.Object) string {
	suffix, ok := strings.CutPrefix(o.ID.Name, o.Stem+"-")
	if !ok {
		return o.ID.Name
	}
	return suffix
}

// secretSuffix is the content hash of a generated Secret.
func secretSuffix(o manifest.Object) (string, bool) {
	if o.Stem == "" || !o.IsSecret() || strings.Contains(o.ID.Name, hashMask) {
		return "", false
	}
	return generatedSuffix(o), true
}

func rename(content map[string]any, name string) {
	if metadata, ok := content["metadata"].(map[string]any); ok {
		metadata["name"] = name
	}
}
