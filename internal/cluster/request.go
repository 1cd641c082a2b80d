package cluster

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
)

// answer is what a server sent.
type answer struct {
	body     []byte
	warnings []string
}

// send sends a request until it is answered, or until patience is over. make is called for each try.
// Reads and dry runs change nothing, so each may be repeated. Errors are *kube.Failure.
func (c *Cluster) send(ctx context.Context, make func() *rest.Request) (answer, error) {
	if err := c.acquire(ctx); err != nil {
		return answer{}, unanswered(err)
	}
	defer c.release()
	patience := time.Now().Add(c.settings.Patience)
	for try := 0; ; try++ {
		a, err := c.once(ctx, make())
		if err == nil {
			return a, nil
		}
		failure, pause, again := judge(err, try)
		next := time.Now().Add(pause)
		if deadline, limited := ctx.Deadline(); !again || next.After(patience) || limited && next.After(deadline) {
			return answer{}, failure
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return answer{}, failure
		}
	}
}

func (c *Cluster) once(ctx context.Context, r *rest.Request) (answer, error) {
	// client-go logs what it returns as an error as well, with addresses, to standard error.
	ctx, cancel := context.WithTimeout(logr.NewContext(ctx, logr.Discard()), c.settings.Timeout)
	defer cancel()
	result := r.MaxRetries(0).Do(ctx)
	if err := result.Error(); err != nil {
		return answer{}, err
	}
	body, err := result.Raw()
	if err != nil {
		return answer{}, err
	}
	a := answer{body: body}
	for _, w := range result.Warnings() {
		a.warnings = append(a.warnings, w.Text)
	}
	return a, nil
}

// backoff doubles from 100 ms to 3 s, with jitter so that many requests do not come back together.
func backoff(try int) time.Duration {
	d := 100 * time.Millisecond << min(try, 5)
	return d/2 + rand.N(d) //nolint:gosec // no secret depends on it
}
