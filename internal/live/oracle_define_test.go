package live

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// definitions of a batch: custom resources whose definition arrives or changes with them.

// definedGroup is the group of the definitions of a batch.
func (b *batch) definedGroup() string { return b.namespace + ".defines.example.com" }

// definition is one of many of a batch's kind. Those of head have a marker by which it is seen when the
// server has taken them.
func (b *batch) definition(g gen, marked bool) map[string]any {
	schema := strings.ReplaceAll(gadgetSchema, "\n", "")
	swap := func(percent int, from, to string) {
		if g.chance(percent) {
			schema = strings.ReplaceAll(schema, from, to)
		}
	}
	swap(40, "maximum: 50, default: 3", "maximum: 5, default: 2")
	swap(40, "enum: [gold, silver]", "enum: [gold, silver, lead]")
	swap(40, "locked: {type: boolean, default: false}, ", "")
	swap(40, "opts: {type: object", "added: {type: object, default: {deep: {}}, properties: {deep: {type: object, default: {}, properties: {x: {type: string, default: filled}}}}}, opts: {type: object")
	swap(30, "default: {class: silver}", "default: {size: 1}, required: [size]")
	swap(30, "x-kubernetes-list-type: set, ", "")
	if marked {
		schema = strings.Replace(schema, "properties: {size:", "properties: {marker: {type: string}, size:", 1)
	}
	text := strings.ReplaceAll(strings.Split(installed, "\n---")[0], "GADGET", schema)
	text = strings.ReplaceAll(text, "group: example.com", "group: "+b.definedGroup())
	return fromYAML(strings.ReplaceAll(text, "gadgets.example.com", "gadgets."+b.definedGroup())).(map[string]any)
}

// define turns a batch into a definition with custom resources of it.
func (b *batch) define(ctx context.Context, g gen) error {
	all := specimens()
	kind := func(name string) specimen {
		return all[slices.IndexFunc(all, func(s specimen) bool { return s.kind == name })]
	}
	arrives := g.chance(40)
	former, next := b.definition(g, false), b.definition(g, true)
	if !arrives {
		if err := b.serve(ctx, former, ""); err != nil {
			return err
		}
	}
	for i, c := range b.trials {
		c.alone = false
		if i == 0 {
			c.specimen, c.trial = kind("CustomResourceDefinition"), trial{number: c.number, kind: "CustomResourceDefinition", head: objectOf(next)}
			if !arrives {
				c.base, c.history = objectOf(former), []step{{how: "apply", manager: "mergegate", object: former}}
			}
			continue
		}
		gadget := kind("Gadget")
		gadget.text = strings.ReplaceAll(gadget.text, "example.com/v1", b.definedGroup()+"/v1")
		c.specimen, c.trial = gadget, g.trial(gadget, c.number, b.namespace)
		if arrives {
			c.history = nil
		}
	}
	return nil
}

// serve applies a definition and waits until the server goes by it.
func (b *batch) serve(ctx context.Context, definition map[string]any, marker string) error {
	r, err := b.apply(ctx, "mergegate", definition)
	if err != nil || !r.ok() {
		return fmt.Errorf("define: %w %v", err, r.object["message"])
	}
	return b.served(ctx, marker)
}

func (b *batch) served(ctx context.Context, marker string) error {
	object := fromYAML(fmt.Sprintf("{apiVersion: %s/v1, kind: Gadget, metadata: {name: probe, namespace: %s}, spec: {size: 1}}", b.definedGroup(), b.namespace)).(map[string]any)
	if marker != "" {
		put(object, []string{"spec", "marker"}, marker)
	}
	collection, _ := b.path(object)
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		r, err := b.do(ctx, http.MethodPost, collection, "?dryRun=All&fieldValidation=Strict", object)
		if err != nil || r.ok() && marker != "" {
			return err
		}
		if !r.ok() {
			continue
		}
		found, err := b.api.Discover(ctx)
		if err != nil {
			return err
		}
		if _, ok := found.Any(b.definedGroup(), "Gadget"); ok {
			return nil
		}
	}
	return fmt.Errorf("%s is not served within 30 s", collection)
}
