package policy

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// cached is how many engines a Cache keeps: the library's and those of a few repositories.
const cached = 16

// Cache keeps compiled policies, so that the same ones are compiled once and not for every plan. It
// may be used by several goroutines at once; the zero value is empty, and a nil Cache keeps nothing.
type Cache struct {
	mu      sync.Mutex
	engines []cacheEntry // the most recently used last
}

type cacheEntry struct {
	key    string
	engine *Engine
}

// Compile is like the function Compile.
func (c *Cache) Compile(ctx context.Context, sources []Source, options Options) (*Engine, error) {
	if c == nil {
		return Compile(ctx, sources, options)
	}
	key := cacheKey(sources, options)
	if e := c.take(key); e != nil {
		return e, nil
	}
	e, err := Compile(ctx, sources, options)
	if err == nil {
		c.keep(key, e)
	}
	return e, err
}

// cacheKey tells apart whatever Compile tells apart: the revision, and what that leaves out because
// it does not say what is evaluated.
func cacheKey(sources []Source, options Options) string {
	key := revision(sources, options) + fmt.Sprint(options.Timeout, options.Workers, options.Limit)
	for _, s := range sources {
		key += fmt.Sprint(" ", s.Data)
	}
	return key
}

// take finds an engine and makes it the most recently used one.
func (c *Cache) take(key string) *Engine {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.engines, func(e cacheEntry) bool { return e.key == key })
	if i < 0 {
		return nil
	}
	found := c.engines[i]
	c.engines = append(slices.Delete(c.engines, i, i+1), found)
	return found.engine
}

func (c *Cache) keep(key string, e *Engine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.engines = slices.DeleteFunc(c.engines, func(e cacheEntry) bool { return e.key == key })
	if len(c.engines) >= cached {
		c.engines = slices.Delete(c.engines, 0, 1)
	}
	c.engines = append(c.engines, cacheEntry{key, e})
}
