package diff

import (
	"strconv"
	"strings"
)

// path is the way to a value inside an object, from the value up to the root; nil is the root. A step
// is a key of a map or an item of a list, and an item may stand at different indexes on both sides.
type path struct {
	up         *path
	key        string // of a map
	item       bool
	base, head int    // index of a list item on either side
	label      string // what names the list item for people: name=web
}

func (p *path) field(key string) *path { return &path{up: p, key: key} }

// indexed is the item at the same index on both sides of a list without a merge key.
func (p *path) indexed(i int) *path {
	return &path{up: p, item: true, base: i, head: i, label: strconv.Itoa(i)}
}

// keyed is an item of a list with a merge key. An index is -1 where that side has no such item.
func (p *path) keyed(base, head int, label string) *path {
	return &path{up: p, item: true, base: base, head: head, label: label}
}

func (p *path) steps() []*path {
	n := 0
	for at := p; at != nil; at = at.up {
		n++
	}
	steps := make([]*path, n)
	for at := p; at != nil; at = at.up {
		n--
		steps[n] = at
	}
	return steps
}

// side says whose list indexes a pointer has.
type side int

const (
	baseSide side = iota
	headSide
)

// pointer is the path as an RFC 6901 JSON pointer into the object of one side.
func (p *path) pointer(s side) string {
	var text strings.Builder
	for _, step := range p.steps() {
		text.WriteByte('/')
		switch {
		case !step.item:
			text.WriteString(escapeToken(step.key))
		case s == baseSide:
			text.WriteString(strconv.Itoa(step.base))
		default:
			text.WriteString(strconv.Itoa(step.head))
		}
	}
	return text.String()
}

func escapeToken(key string) string {
	if !strings.ContainsAny(key, "~/") {
		return key
	}
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

// String is the path for people: spec.template.spec.containers[name=web].image.
func (p *path) String() string {
	var text strings.Builder
	for i, step := range p.steps() {
		switch {
		case step.item:
			text.WriteString("[" + step.label + "]")
		case !isWord(step.key):
			text.WriteString("[" + strconv.Quote(step.key) + "]")
		case i > 0:
			text.WriteString("." + step.key)
		default:
			text.WriteString(step.key)
		}
	}
	return text.String()
}

// isWord says whether a key can stand in a dotted path as it is.
func isWord(key string) bool {
	for i, r := range key {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		inner := r >= '0' && r <= '9' || r == '-'
		if !letter && (i == 0 || !inner) {
			return false
		}
	}
	return key != ""
}
