package live

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/mergegate/mergegate/internal/kube"
)

// Cache keeps what servers answered. An answer is known by everything that it depends on: the object
// that was sent, the live object's resource version, and what the server serves and admits. Answers
// to objects that are not there yet, and refusals, are not kept: they depend on more (a namespace, a
// quota). A nil Cache keeps nothing. It is safe for concurrent use.
type Cache struct {
	// MaxBytes is about how much is kept, 64 MiB where it is 0.
	MaxBytes int

	mu    sync.Mutex
	known map[string]cached
	order []string // oldest first
	bytes int
}

type cached struct {
	outcome kube.Outcome
	bytes   int
}

// cacheKey is what an answer is known by; empty where it is not to be kept.
func (p *predictor) cacheKey(r *row, body []byte) string {
	version := text(fields(r.live, "metadata")["resourceVersion"])
	if p.options.Cache == nil || version == "" || p.server.Admission == "" {
		return ""
	}
	uid := text(fields(r.live, "metadata")["uid"])
	return fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%x", p.options.Name, p.server.Admission, uid, version, sha256.Sum256(body))
}

func (c *Cache) get(key string) (kube.Outcome, bool) {
	if c == nil || key == "" {
		return kube.Outcome{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.known[key]
	return found.outcome, ok
}

func (c *Cache) put(key string, outcome kube.Outcome, size int) {
	if c == nil || key == "" {
		return
	}
	size += 4 << 10 // what the server adds, and the maps around it
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.known[key]; known {
		return
	}
	if c.known == nil {
		c.known = map[string]cached{}
	}
	c.known[key] = cached{outcome, size}
	c.order = append(c.order, key)
	c.bytes += size
	limit := c.MaxBytes
	if limit == 0 {
		limit = 64 << 20
	}
	for c.bytes > limit && len(c.order) > 0 {
		c.bytes -= c.known[c.order[0]].bytes
		delete(c.known, c.order[0])
		c.order = c.order[1:]
	}
}
