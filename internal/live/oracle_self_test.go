package live

import (
	"encoding/json"
	"testing"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// TestOracleSeesWrongPredictions spoils what is right, in each of the ways in which a prediction may be
// wrong, and lets the comparison find it: a comparison that finds nothing would prove nothing.
func TestOracleSeesWrongPredictions(t *testing.T) {
	parse := func(text string) map[string]any { return fromYAML(text).(map[string]any) }
	live := parse(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b, resourceVersion: "1"}, data: {x: old}}`)
	head := parse(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b}, data: {x: new}}`)
	after := parse(`{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: b, resourceVersion: "2"}, data: {x: new}}`)
	right := func() *outcome {
		o := objectOf(head)
		r := newRow(Row{Base: objectOf(live), Head: o})
		r.live, r.afterHead, r.afterBase, r.result = live, manifest.Clone(after).(map[string]any), manifest.Clone(live).(map[string]any), plan.WillUpdate
		return &outcome{trial: trial{base: objectOf(live), head: o}, live: live, row: r, result: plan.WillUpdate, after: after, afterBase: live}
	}
	spoiled := map[string]func(*outcome){
		"result":                  func(c *outcome) { c.row.result = plan.NoEffect },
		"refusal":                 func(c *outcome) { c.row.result = plan.Rejected },
		"value":                   func(c *outcome) { put(c.row.afterHead, []string{"data", "x"}, "other") },
		"field that is missing":   func(c *outcome) { put(c.row.afterHead, []string{"data", "x"}, gone) },
		"field too many":          func(c *outcome) { put(c.row.afterHead, []string{"data", "y"}, json.Number("1")) },
		"base":                    func(c *outcome) { put(c.row.afterBase, []string{"data", "x"}, "other") },
		"base that is refused":    func(c *outcome) { c.afterBase, c.baseRefused = nil, "no" },
		"base that is forgotten":  func(c *outcome) { c.row.afterBase = nil },
		"base that can be had":    func(c *outcome) { c.row.afterBase, c.row.baseUnknown = nil, "no" },
		"filter that sees no end": func(c *outcome) { c.row.head, c.after = c.live, after; c.row.afterHead = after },
	}
	found := func(spoil func(*outcome)) int {
		o := &oracle{t: t, quiet: true, results: map[plan.Result]int{}, kinds: map[string]int{}, reasons: map[string]int{}}
		c := right()
		spoil(c)
		(&batch{oracle: o}).compare(c)
		return o.wrong
	}
	if n := found(func(*outcome) {}); n != 0 {
		t.Errorf("the right prediction is taken for wrong %d times", n)
	}
	for what, spoil := range spoiled {
		if n := found(spoil); n == 0 {
			t.Errorf("nobody sees that the %s is wrong", what)
		}
	}
}
