package policy

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func oneRule(text string) []Source {
	return []Source{{Name: "p", Files: []File{{Path: "p.rego", Data: []byte("package p\n\ndeny contains \"" + text + "\"\n")}}}}
}

func TestCacheCompilesOnce(t *testing.T) {
	var c Cache
	compile := func(sources []Source, options Options) *Engine {
		t.Helper()
		e, err := c.Compile(t.Context(), sources, options)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := compile(oneRule("a"), Options{})
	if compile(oneRule("a"), Options{}) != first {
		t.Error("the same policies were compiled twice")
	}
	data := oneRule("a")
	data[0].Data = true
	for name, other := range map[string]*Engine{
		"text": compile(oneRule("b"), Options{}), "deadline": compile(oneRule("a"), Options{Timeout: time.Second}), "limit": compile(oneRule("a"), Options{Limit: 1}),
		"combine": compile(oneRule("a"), Options{Combine: true}), "namespaces": compile(oneRule("a"), Options{Namespaces: []string{"p"}}), "data": compile(data, Options{}),
	} {
		if other == first {
			t.Errorf("other policies for another %s were not compiled", name)
		}
	}
	for i := range cached {
		compile(oneRule(fmt.Sprint(i)), Options{})
	}
	if len(c.engines) != cached {
		t.Errorf("%d engines are kept, want %d", len(c.engines), cached)
	}
	if compile(oneRule("a"), Options{}) == first {
		t.Error("an engine was kept though many others were used since")
	}
	if e, err := (*Cache)(nil).Compile(t.Context(), oneRule("a"), Options{}); err != nil || e == nil {
		t.Errorf("without a cache: %v %v", e, err)
	}
}

func TestCacheKeepsNoError(t *testing.T) {
	var c Cache
	if _, err := c.Compile(t.Context(), nil, Options{Namespaces: []string{"["}}); err == nil || len(c.engines) > 0 {
		t.Errorf("error %v, %d engines", err, len(c.engines))
	}
}

func TestCacheFromManySides(t *testing.T) {
	var c Cache
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			e, err := c.Compile(t.Context(), oneRule(fmt.Sprint(i%20)), Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if got := e.Evaluate(t.Context(), Input{Head: nil}); got == nil && len(e.Policies()) != 1 {
				t.Errorf("%d policies", len(e.Policies()))
			}
		})
	}
	wg.Wait()
	if len(c.engines) > cached {
		t.Errorf("%d engines are kept", len(c.engines))
	}
}
