package render

import (
	"runtime/metrics"
	"time"
)

// watchMemory reports exitMemory when the heap or the stacks are over the budget.
func watchMemory(budget int64, done chan<- int) {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
	}
	for range time.Tick(25 * time.Millisecond) {
		metrics.Read(samples)
		used := uint64(0)
		for _, sample := range samples {
			if sample.Value.Kind() == metrics.KindUint64 {
				used += sample.Value.Uint64()
			}
		}
		if used > uint64(max(budget, 0)) {
			done <- exitMemory
			return
		}
	}
}
