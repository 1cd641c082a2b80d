package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mergegate/mergegate/internal/plan"
)

// sets is what the cluster changes besides the fields that the change shows, and where it makes another
// value of one.
func (c change) sets(l plan.Live, p pen) []string {
	shown := map[string]plan.Field{}
	for _, f := range c.Fields {
		shown[fieldAt(f)] = f
	}
	var besides, instead []plan.LiveField
	for _, f := range l.Effect {
		of, ok := shown[fieldAt(f)]
		switch {
		case ok && !f.Sensitive && scalar(of.After) && scalar(f.After) && exact(of.After) != exact(f.After):
			instead = append(instead, plan.LiveField{Field: plan.Field{Path: f.Path, At: f.At, Before: of.After, After: f.After}})
		case !ok && !within(f, c.Fields):
			besides = append(besides, plan.LiveField{Field: f})
		}
	}
	var out []string
	what := "The API server also sets "
	if c.Action == plan.Create {
		what = "What is in the cluster changes: "
	}
	if len(besides) > 0 {
		out = append(out, what+transitions(besides, p))
	}
	if len(instead) > 0 {
		out = append(out, "The API server makes another value of "+transitions(instead, p))
	}
	return out
}

// within says whether a field is part of one of the others.
func within(f plan.Field, all []plan.Field) bool {
	return slices.ContainsFunc(all, func(o plan.Field) bool { return strings.HasPrefix(f.Path, o.Path+"/") })
}

// fieldAt is a field's path for people.
func fieldAt(f plan.Field) string { return cmp.Or(f.At, f.Path) }

func paths(fields []plan.LiveField) []string {
	var out []string
	for _, f := range fields {
		out = append(out, fieldAt(f.Field))
	}
	return out
}

// transitions lists fields with what they were and become.
func transitions(fields []plan.LiveField, p pen) string {
	byPath := map[string]plan.Field{}
	for _, f := range fields {
		byPath[fieldAt(f.Field)] = f.Field
	}
	return list(paths(fields), p.most, func(at string) string {
		f := byPath[at]
		return p.name(at) + " (" + shownValue(f.Before, p) + " → " + shownValue(f.After, p) + ")"
	})
}

// shownValue is a value in a line.
func shownValue(v any, p pen) string {
	if v == nil {
		return "nothing"
	}
	return p.name(clip(value(v), maxInline))
}

// owned are fields that the same managers own.
type owned struct {
	managers []plan.Owner
	fields   []plan.LiveField
}

func byOwner(fields []plan.LiveField) []owned {
	groups := newGroups[owned]()
	for _, f := range fields {
		g := groups.get(ownersKey(f.Owners), func() *owned { return &owned{managers: f.Owners} })
		g.fields = append(g.fields, f)
	}
	return groups.values()
}

// ownersKey is equal for owners that differ only in when they wrote.
func ownersKey(owners []plan.Owner) string {
	var parts []string
	for _, o := range owners {
		parts = append(parts, o.Manager, o.Operation, o.Subresource, o.Controller)
	}
	return strings.Join(parts, "\x00")
}

// owners names the managers, with what is behind them.
func (o owned) owners(p pen) string {
	var out []string
	for _, m := range o.managers {
		out = append(out, ownerName(m, p))
	}
	return list(out, p.most, plain)
}

func ownerName(o plan.Owner, p pen) string {
	if o.Controller == "" {
		return p.name(o.Manager)
	}
	return p.name(o.Manager) + " (" + p.text(o.Controller) + ")"
}

// ownerDetail names a manager with how it wrote and when, of several objects when it did so last.
func ownerDetail(o plan.Owner, p pen, last bool) string {
	how := "by " + p.text(strings.ToLower(cmp.Or(o.Operation, "an unknown operation")))
	if o.Subresource != "" {
		how += " of " + p.text(o.Subresource)
	}
	when := "time not recorded"
	if o.Time != "" {
		when = p.text(moment(o.Time))
	}
	if last && o.Time != "" {
		when = "last " + when
	}
	return ownerName(o, p) + " " + how + ", " + when
}

// moment is an RFC 3339 time for people: to the minute, in UTC.
func moment(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// cascadeWords counts what goes too: "12 Widget.example.com objects".
func cascadeWords(c plan.Cascade, p pen) string {
	return number(c.Count) + " " + p.name(c.Kind) + " " + strings.TrimPrefix(plural(c.Count, "object"), number(c.Count)+" ")
}

// cascadeNames lists what goes too, as far as it is named.
func cascadeNames(c plan.Cascade, p pen) string {
	names := c.Names
	out := ""
	if len(names) > 0 {
		shown := names[:min(len(names), p.most)]
		out = ": " + list(shown, len(shown), p.name)
		if more := c.Count - len(shown); more > 0 {
			out = ": " + strings.Join(mapped(shown, p.name), ", ") + " and " + number(more) + " more"
		}
	}
	if c.Note != "" {
		out += " (" + p.text(c.Note) + ")"
	}
	return out
}

func mapped(names []string, write func(string) string) []string {
	var out []string
	for _, n := range names {
		out = append(out, write(n))
	}
	return out
}
