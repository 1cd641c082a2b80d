package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// await tries until it succeeds, the patience is over, or ctx is: then the error is ctx's cause.
func await(ctx context.Context, patience time.Duration, what string, try func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(limited)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
			continue
		case <-limited.Done():
		}
		if ctx.Err() != nil {
			return stoppedEarly(ctx)
		}
		return fmt.Errorf("wait for %s, %s long: %w", what, patience, err)
	}
}

// stoppedEarly is the error of a cluster that ended before it was ready.
func stoppedEarly(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.Canceled) {
		cause = errors.New("a signal came")
	}
	return fmt.Errorf("stopped before it was ready: %w", cause)
}
