package cluster

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/mergegate/mergegate/internal/kube"
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
		if !again || ctx.Err() != nil || time.Now().Add(pause).After(patience) {
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
	ctx, cancel := context.WithTimeout(ctx, c.settings.Timeout)
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

// judge says what a failed try means, and whether and when another one may help. The server says so
// by its status, and by Retry-After where it is too busy (429, 503: priority and fairness).
func judge(err error, try int) (failure *kube.Failure, pause time.Duration, again bool) {
	pause = backoff(try)
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return unanswered(err), pause, true
	}
	s := status.Status()
	failure = failureOf(s)
	switch s.Code {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusConflict:
		again = true
	case http.StatusInternalServerError:
		again = !deterministic(s.Message)
	}
	if s.Details != nil && s.Details.RetryAfterSeconds > 0 {
		pause = max(pause, time.Duration(s.Details.RetryAfterSeconds)*time.Second)
	}
	return failure, pause, again
}

// deterministic says whether a 500 is the answer to this object rather than a fault: the API server
// has no better status for what the typed merge of server-side apply refuses, and for a webhook that
// must answer and does not.
func deterministic(message string) bool {
	return strings.Contains(message, "failed to create typed patch object") || strings.Contains(message, "failed calling webhook")
}

// backoff doubles from 100 ms to 3 s, with jitter so that many requests do not come back together.
func backoff(try int) time.Duration {
	d := 100 * time.Millisecond << min(try, 5)
	return d/2 + rand.N(d) //nolint:gosec // no secret depends on it
}

func failureOf(s metav1.Status) *kube.Failure {
	f := &kube.Failure{Code: int(s.Code), Reason: string(s.Reason), Message: s.Message}
	if s.Details == nil {
		return f
	}
	for _, c := range s.Details.Causes {
		f.Causes = append(f.Causes, kube.Cause{Type: string(c.Type), Field: c.Field, Message: c.Message})
	}
	return f
}
