package queue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/store"
	"github.com/mergegate/mergegate/internal/store/storetest"
)

// body is like a webhook's: about 25 kB of addresses and identifiers.
func body(b *testing.B) []byte {
	urls := map[string]string{}
	for i := range 250 {
		urls[fmt.Sprintf("field_%d_url", i)] = fmt.Sprintf("https://api.example.test/repos/acme/gitops/%x/pulls/%d{/sha}", i*7919, i)
	}
	text, err := json.Marshal(map[string]any{"action": "synchronize", "number": 2, "pull_request": urls})
	if err != nil {
		b.Fatal(err)
	}
	return text
}

// BenchmarkIntake is what a webhook costs before it is answered: the delivery and its job, on disk.
func BenchmarkIntake(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		for _, clients := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/clients=%d", database, clients), func(b *testing.B) {
				dir := b.TempDir()
				if database == "postgres" {
					dir = storetest.Postgres(b)
				}
				benchmarkIntake(b, storetest.Open(b, dir), clients)
			})
		}
	}
}

func benchmarkIntake(b *testing.B, s *store.Store, clients int) {
	q := newQueue(b, s, queue.Config{Log: slog.New(slog.DiscardHandler), Handlers: handlers(func(context.Context, queue.Job) error { return nil })})
	text := body(b)
	var next atomic.Int64
	took := make([]time.Duration, b.N)
	b.SetBytes(int64(len(text)))
	b.ResetTimer()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
				started := time.Now()
				guid := fmt.Sprint("guid-", i)
				_, err := s.SaveDelivery(context.Background(), store.Delivery{GUID: guid, Event: "pull_request", Action: "synchronize", InstallationID: 1, Body: text},
					func(ctx context.Context, tx *store.Tx) error {
						return q.Insert(ctx, tx, queue.Job{Kind: queue.Delivery, GUID: guid})
					})
				if err != nil {
					b.Error(err)
				}
				took[i] = time.Since(started)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds()), "p99-µs")
}

// BenchmarkRun is how many jobs that do nothing are run.
func BenchmarkRun(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			dir := b.TempDir()
			if database == "postgres" {
				dir = storetest.Postgres(b)
			}
			s := storetest.Open(b, dir)
			done := make(chan struct{}, b.N)
			q := newQueue(b, s, queue.Config{
				Log: slog.New(slog.DiscardHandler), Workers: map[queue.Kind]int{queue.Delivery: 32},
				Handlers: handlers(func(context.Context, queue.Job) error { done <- struct{}{}; return nil }),
			})
			for i := range b.N {
				insert(b, s, q, queue.Job{Kind: queue.Delivery, GUID: fmt.Sprint(i)})
			}
			b.ResetTimer()
			start(b, q)
			for range b.N {
				<-done
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		})
	}
}
