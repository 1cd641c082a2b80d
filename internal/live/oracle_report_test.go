package live

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/mergegate/mergegate/internal/plan"
)

// fail shows a case whose prediction is wrong.
func (b *batch) fail(c *outcome, what string, predicted, real map[string]any) {
	b.mu.Lock()
	b.wrong++
	shown := b.wrong <= 10
	b.mu.Unlock()
	if b.quiet {
		return
	}
	if !shown {
		b.t.Errorf("case %d (%s): %s", c.number, c.kind, what)
		return
	}
	var text strings.Builder
	fmt.Fprintf(&text, "MERGEGATE_SEED=%d MERGEGATE_CASE=%d (%s in %s): %s\n", b.seed, c.number, c.kind, b.profile, what)
	for _, h := range c.history {
		fmt.Fprintf(&text, "history: %s by %s %d %s\n", h.how, h.manager, h.seed, compact(h.object))
	}
	if c.base != nil {
		fmt.Fprintf(&text, "base: %s\n", compact(c.base.Content))
	}
	if c.head != nil {
		fmt.Fprintf(&text, "head: %s\n", compact(c.head.Content))
	}
	fmt.Fprintf(&text, "live:\n%s\npredicted:\n%s\nreal:\n%s", asYAML(c.live), asYAML(predicted), asYAML(real))
	b.t.Error(text.String())
}

func compact(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func asYAML(v map[string]any) string {
	data, err := yaml.JSONToYAML([]byte(compact(v)))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// report says what was compared, and fails where that was too little.
func (o *oracle) report(partly bool) {
	total := 0
	for _, n := range o.results {
		total += n
	}
	var parts []string
	for _, r := range []plan.Result{plan.WillCreate, plan.WillUpdate, plan.NoEffect, plan.WillAdopt, plan.WillReplace, plan.WillDelete, plan.Rejected, plan.Unknown} {
		parts = append(parts, fmt.Sprintf("%d %s", o.results[r], r))
		if o.results[r] < 5 && r != plan.Unknown && !partly {
			o.t.Errorf("only %d changes of result %s", o.results[r], r)
		}
	}
	share := 100 * float64(o.results[plan.Unknown]) / float64(max(total, 1))
	o.t.Logf("%d changes: %s (%.1f %% unknown), %d wrong; base compared for %d (%d not), %d answers of the local filter, %d left alone", total, strings.Join(parts, ", "), share, o.wrong, o.bases-o.skipped, o.skipped, o.local, o.leftAlone)
	for _, reason := range slices.Sorted(maps.Keys(o.reasons)) {
		o.t.Logf("unknown: %d x %s", o.reasons[reason], reason)
	}
	o.t.Logf("kinds: %v", o.kinds)
	if partly {
		return
	}
	if share > 2 {
		o.t.Errorf("%.1f %% are unknown", share)
	}
	if o.collisions*100 > total {
		o.t.Errorf("%d cases got into one another's way", o.collisions)
	}
	if o.skipped*50 > o.bases {
		o.t.Errorf("%d of %d histories did not happen again as they had", o.skipped, o.bases)
	}
	for _, s := range specimens() {
		if o.kinds[s.kind] == 0 {
			o.t.Errorf("no change of kind %s", s.kind)
		}
	}
}
