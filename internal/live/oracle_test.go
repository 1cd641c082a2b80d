package live

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/mergegate/mergegate/internal/diff"
	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/plan"
)

// TestPredictionEqualsReality predicts thousands of changes, lets each really happen, and compares.
//
// MERGEGATE_PREDICTIONS is how many. By itself every run takes the same changes, so that it fails for a
// change of the code; MERGEGATE_SEED gives others, `make predictions` many. MERGEGATE_CASE takes one case,
// with the others of its batch.
func TestPredictionEqualsReality(t *testing.T) {
	seed := number(t, "MERGEGATE_SEED", 1)
	count := int(number(t, "MERGEGATE_PREDICTIONS", 2000))
	t.Logf("MERGEGATE_SEED=%d", seed)
	w := newWorld(t)
	w.install(t)
	o := &oracle{world: w, t: t, seed: seed, results: map[plan.Result]int{}, kinds: map[string]int{}, reasons: map[string]int{}, cache: &Cache{}}
	batches := (count + perBatch - 1) / perBatch
	one := number(t, "MERGEGATE_CASE", 0)
	var early, late []int
	for n := range batches {
		if one > 0 && n != int(one)/perBatch {
			continue
		}
		if profileOf(n) == "hooks" {
			late = append(late, n)
		} else {
			early = append(early, n)
		}
	}
	o.all(early)
	w.hooks(t)
	o.all(late)
	o.report(one > 0)
}

func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// perBatch is how many cases are in a namespace, and most of them in one prediction.
const perBatch = 20

// profileOf is what is special about the namespace of a batch.
func profileOf(batch int) string {
	if batch%20 == 16 {
		return "defines"
	}
	return []string{"plain", "policy", "hooks", "plain", "quota", "hooks", "plain", "arrives", "defaults", "hooks"}[batch%10]
}

// oracle compares predictions with what comes true.
type oracle struct {
	*world
	t    *testing.T
	seed uint64

	cache   *Cache
	mu      sync.Mutex
	results map[plan.Result]int
	kinds   map[string]int
	reasons map[string]int
	skipped int // bases that could not be tried
	bases   int
	local   int // answers of the local filter
	wrong   int
	quiet   bool // what is wrong is counted, and not shown

	leftAlone  int // objects that are as they are wanted and that admission would refuse by now
	collisions int // with other cases, over what only one can have
}

func (o *oracle) all(batches []int) {
	var group errgroup.Group
	group.SetLimit(16)
	for _, n := range batches {
		group.Go(func() error {
			if err := o.batch(o.t.Context(), n); err != nil {
				return fmt.Errorf("batch %d: %w", n, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		o.t.Fatal(err)
	}
}

// batch is a namespace with cases in it.
type batch struct {
	*oracle
	profile   string
	namespace string
	trials    []*outcome
}

// outcome is a case with what was predicted and what came true.
type outcome struct {
	trial
	specimen specimen
	live     map[string]any
	row      *row
	alone    bool

	result      plan.Result
	after       map[string]any
	said        reply
	then        reply // to what was to be in its place
	afterBase   map[string]any
	baseRefused string
}

func (o *oracle) batch(ctx context.Context, n int) error {
	b := &batch{oracle: o, profile: profileOf(n), namespace: fmt.Sprintf("b%d", n)}
	g := newGen(o.seed, uint64(n))
	all := specimens()
	some := all
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if b.profile == "quota" {
		some = slices.DeleteFunc(slices.Clone(all), func(s specimen) bool { return !slices.Contains(limitedKinds, s.kind) })
	}
	for i := range perBatch {
		of := g.specimen(some)
		if n*perBatch+i < len(all) {
			of = all[n*perBatch+i] // each kind at least once
		}
		b.trials = append(b.trials, &outcome{trial: g.trial(of, n*perBatch+i, b.namespace), specimen: of, alone: b.profile != "quota" && g.chance(10) && !slices.Contains(boundKinds, of.kind)})
	}
	if b.profile == "arrives" {
		b.arrive()
	}
	if b.profile == "defines" {
		if err := b.define(ctx, g); err != nil {
			return err
		}
	}
	for _, c := range b.trials {
		var err error
		if c.live, err = b.happen(ctx, c.specimen, c.history, c.subject()); err != nil {
			return err
		}
	}
	if err := b.tighten(ctx, g); err != nil {
		return err
	}
	b.predict(ctx)
	if err := b.comeTrue(ctx); err != nil {
		return err
	}
	if b.profile != "quota" && b.profile != "arrives" && b.profile != "defines" {
		if err := b.again(ctx); err != nil {
			return err
		}
	}
	for _, c := range b.trials {
		b.compare(c)
	}
	for _, c := range b.trials {
		if c.specimen.cluster || c.kind == "Service" { // addresses and ports are for others then
			if _, err := b.remove(ctx, c.subject()); err != nil {
				return err
			}
		}
	}
	return nil
}

// subject is the object as it is named in the cluster.
func (c *outcome) subject() map[string]any {
	if c.head != nil {
		return c.head.Content
	}
	return c.base.Content
}

// predict is one prediction for most cases, and one for each of the others.
func (b *batch) predict(ctx context.Context) {
	var together []*outcome
	for _, c := range b.trials {
		if !c.alone {
			together = append(together, c)
			continue
		}
		c.row = Predict(ctx, b.api, []Row{c.trial.row()}, Options{}).rows[0]
	}
	rows := make([]Row, len(together))
	for i, c := range together {
		rows[i] = c.trial.row()
	}
	for i, r := range Predict(ctx, b.api, rows, Options{Cache: b.cache, Name: "oracle"}).rows {
		together[i].row = r
	}
}

// comeTrue applies what was predicted, in the order in which a change is applied: namespaces and
// definitions first, removals last.
func (b *batch) comeTrue(ctx context.Context) error {
	ordered := slices.Clone(b.trials)
	slices.SortStableFunc(ordered, func(x, y *outcome) int {
		return cmp.Or(cmp.Compare(x.turn(), y.turn()), x.row.id.Compare(y.row.id))
	})
	for _, c := range ordered {
		if err := b.real(ctx, c); err != nil {
			return fmt.Errorf("case %d: %w", c.number, err)
		}
	}
	return nil
}

func (c *outcome) turn() int {
	switch {
	case c.head == nil:
		return 3
	case c.kind == "Namespace" || c.kind == "CustomResourceDefinition":
		return 0
	case slices.Contains([]string{"LimitRange", "ResourceQuota", "ServiceAccount", "PriorityClass", "RuntimeClass", "StorageClass"}, c.kind):
		return 1
	}
	return 2
}

// real does to an object what its prediction assumes, and notes what happens.
func (b *batch) real(ctx context.Context, c *outcome) (err error) {
	if c.head == nil {
		c.result = plan.NoEffect
		if c.live != nil {
			c.result = plan.WillDelete
			c.said, err = b.release(ctx, c.live)
		}
		if err == nil && c.result == plan.WillDelete && !c.said.ok() {
			c.result = plan.Rejected
		}
		return err
	}
	head := kube.Prepare(c.head.Content)
	if c.said, err = b.apply(ctx, kube.FieldManager, head); err != nil {
		return err
	}
	switch {
	case c.said.ok():
		c.after = c.said.object
		c.result = b.effect(c)
	case c.live != nil && c.said.code == 422 && c.said.causes() && !(c.kind == "CustomResourceDefinition" && !onlyImmutable(c.said.failure())):
		return b.replace(ctx, c, head)
	default:
		c.result = plan.Rejected
	}
	if b.profile == "defines" && c.kind == "CustomResourceDefinition" {
		return b.served(ctx, "x")
	}
	if c.kind == "Namespace" && c.result == plan.WillCreate {
		_, err = b.do(ctx, "POST", "/api/v1/namespaces/"+c.head.ID.Name+"/serviceaccounts", "", map[string]any{"metadata": map[string]any{"name": "default"}})
	}
	return err
}

func (b *batch) effect(c *outcome) plan.Result {
	switch {
	case c.live == nil:
		return plan.WillCreate
	case c.base == nil:
		return plan.WillAdopt
	case diff.Equal(kube.Comparable(c.live), kube.Comparable(c.after)):
		return plan.NoEffect
	}
	return plan.WillUpdate
}

// replace deletes the object and creates it anew; where that is refused, so is the change.
func (b *batch) replace(ctx context.Context, c *outcome, head map[string]any) error {
	if said, err := b.release(ctx, c.live); err != nil || !said.ok() {
		return cmp.Or(err, fmt.Errorf("delete: %v", said.object["message"]))
	}
	said, err := b.apply(ctx, kube.FieldManager, head)
	if err != nil {
		return err
	}
	if said.ok() {
		c.result, c.after = plan.WillReplace, said.object
		return nil
	}
	c.result, c.then = plan.Rejected, said
	_, err = b.happen(ctx, c.specimen, c.history, c.subject()) // nobody would have deleted it
	return err
}

// again lets the history happen anew, and base be applied on it.
func (b *batch) again(ctx context.Context) error {
	limited := slices.ContainsFunc(b.trials, func(c *outcome) bool { return c.kind == "LimitRange" || c.kind == "ResourceQuota" })
	for _, c := range b.trials {
		if limited && slices.Contains([]string{"Pod", "PersistentVolumeClaim"}, c.kind) {
			continue // it would meet other limits than at the time
		}
		if c.base == nil || c.live == nil || c.base.ID.Name != identityOf(c.subject()).Name {
			continue
		}
		if _, err := b.remove(ctx, c.subject()); err != nil {
			return err
		}
		live, err := b.happen(ctx, c.specimen, c.history, c.subject())
		if err != nil {
			return err
		}
		b.mu.Lock()
		b.bases++
		if len(differences(kube.Prepare(c.base.Content), live, c.live)) > 0 {
			b.skipped++
			b.mu.Unlock()
			continue
		}
		b.mu.Unlock()
		said, err := b.apply(ctx, kube.FieldManager, b.baseOf(c))
		if err != nil {
			return err
		}
		if said.ok() {
			c.afterBase = said.object
		} else {
			c.baseRefused = fmt.Sprint(said.code, " ", said.object["message"])
		}
	}
	return nil
}

// baseOf is base as it is applied: in the version of the proposed object.
func (b *batch) baseOf(c *outcome) map[string]any {
	base := kube.Prepare(c.base.Content)
	if c.head != nil {
		base["apiVersion"] = c.head.ID.APIVersion()
	}
	return base
}
