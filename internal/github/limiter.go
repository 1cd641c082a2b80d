package github

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// limiter is what all requests of one installation pass: a number at a time, writes one by one and at a pace, and none
// while GitHub wants none.
type limiter struct {
	clock  Clock
	limits Limits
	slots  chan struct{}
	writer chan struct{}

	mu      sync.Mutex
	until   time.Time // no request before
	reason  string
	strikes int       // refusals in a row that did not say for how long
	due     time.Time // when the writes so far would all have gone out at the pace
}

func newLimiter(clock Clock, limits Limits) *limiter {
	return &limiter{clock: clock, limits: limits, slots: make(chan struct{}, limits.Concurrency), writer: make(chan struct{}, 1)}
}

// enter waits for the request's turn. The caller must call leave when the request is over.
func (l *limiter) enter(ctx context.Context, write bool) (leave func(), err error) {
	if !write {
		return take(ctx, l.slots)
	}
	leaveWriter, err := take(ctx, l.writer)
	if err != nil {
		return nil, err
	}
	if err := l.pace(ctx); err != nil {
		leaveWriter()
		return nil, err
	}
	leaveSlot, err := take(ctx, l.slots)
	if err != nil {
		leaveWriter()
		return nil, err
	}
	return func() { leaveSlot(); leaveWriter() }, nil
}

// take puts one into places as soon as there is room.
func take(ctx context.Context, places chan struct{}) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// pace waits until a write fits the pace; a burst may be ahead of it.
func (l *limiter) pace(ctx context.Context) error {
	every := l.limits.WriteEvery
	if every <= 0 {
		return nil
	}
	l.mu.Lock()
	now := l.clock.Now()
	if l.due.Before(now) {
		l.due = now
	}
	wait := l.due.Sub(now) - time.Duration(l.limits.WriteBurst-1)*every
	l.due = l.due.Add(every)
	l.mu.Unlock()
	if wait <= 0 {
		return nil
	}
	return l.clock.Wait(ctx, wait)
}

// clear waits while GitHub wants no requests, or returns RateLimited where that is too long.
func (l *limiter) clear(ctx context.Context) error {
	for {
		limit := l.refusal()
		wait := limit.Until.Sub(l.clock.Now())
		if wait <= 0 {
			return nil
		}
		if wait > l.limits.MaxWait {
			return limit
		}
		if err := l.clock.Wait(ctx, wait); err != nil {
			return err
		}
	}
}

const (
	unspecifiedPause = time.Minute // GitHub: wait at least a minute where nothing says for how long, then exponentially
	longestPause     = time.Hour   // a limit's window is an hour; after it we may ask again
)

// observe learns from an answer. It reports whether the request was refused for a limit, and so had no effect.
func (l *limiter) observe(r reply) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	exhausted := r.header.Get("X-RateLimit-Remaining") == "0"
	if !r.limited() {
		if r.status < http.StatusMultipleChoices {
			l.strikes = 0
		}
		if reset, ok := resetTime(r, now); ok && exhausted {
			l.pause(reset, "the hourly limit is used up")
		}
		return false
	}
	until, ok := retryAfter(r, now)
	if !ok && exhausted {
		until, ok = resetTime(r, now)
	}
	if !ok {
		until = now.Add(unspecifiedPause << min(l.strikes, 6))
		l.strikes++
	}
	l.pause(until, Redact(r.message()))
	return true
}

// refusal is the limit that was learned of last.
func (l *limiter) refusal() *RateLimited {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &RateLimited{Until: l.until, Reason: l.reason}
}

// pause extends the time without requests; l.mu is held.
func (l *limiter) pause(until time.Time, reason string) {
	if latest := l.clock.Now().Add(longestPause); until.After(latest) {
		until = latest
	}
	if until.After(l.until) {
		l.until, l.reason = until, reason
	}
}

// limited is whether the request was refused for a primary or secondary limit: GitHub answers either with 403 or 429,
// and only some of these have headers that say so.
func (r reply) limited() bool {
	if r.status == http.StatusTooManyRequests {
		return true
	}
	if r.status != http.StatusForbidden {
		return false
	}
	if r.header.Get("Retry-After") != "" || r.header.Get("X-RateLimit-Remaining") == "0" {
		return true
	}
	text := strings.ToLower(string(r.body[:min(len(r.body), 4096)]))
	return strings.Contains(text, "rate limit") || strings.Contains(text, "abuse detection") || strings.Contains(text, "#abuse-rate-limits")
}

// retryAfter is what the header of that name says, as seconds or as a date.
func retryAfter(r reply, now time.Time) (time.Time, bool) {
	text := r.header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= 0 {
		return now.Add(time.Duration(min(seconds, int64(longestPause/time.Second))) * time.Second), true
	}
	date, err := http.ParseTime(text)
	return date, err == nil
}

// resetTime is when the primary limit's window ends. One that is over by our clock says nothing.
func resetTime(r reply, now time.Time) (time.Time, bool) {
	seconds, err := strconv.ParseInt(r.header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	reset := time.Unix(seconds, 0).Add(time.Second) // the header has whole seconds
	return reset, reset.After(now)
}
