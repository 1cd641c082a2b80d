//go:build linux

package main

import (
	"bytes"
	"cmp"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The benchmarks of this package measure whole programs: `make bench` runs them, and
// docs/benchmarks.md says what they compare. Each prints a table in Markdown; BENCH_REPORT names a
// file to append it to instead.

// built is a program that make has built: mergegate as it is released, or a stock tool.
func built(b *testing.B, name string) string {
	b.Helper()
	path, err := filepath.Abs(filepath.Join("../../bin", name))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		b.Fatalf("%v: run 'make build tools' first", err)
	}
	return path
}

// setting is a number that the environment sets.
func setting(b *testing.B, name string, otherwise int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s=%q is not a positive number", name, text)
	}
	return n
}

// cost is what programs took.
type cost struct {
	wall, cpu time.Duration // cpu: user and system, of all processes
	checkout  time.Duration // of cpu: what making the work trees took
	largest   int64         // bytes: the most that one process held
	together  int64         // bytes: the most that all processes held at one moment, shared pages counted once
}

// meter adds up what the programs of one contender take.
type meter struct {
	b       *testing.B
	started time.Time
	cpu     atomic.Int64
	others  []int // processes whose memory does not count
	stop    chan struct{}
	peak    chan [2]int64
}

func newMeter(b *testing.B) *meter { return newMeterBeside(b, nil) }

// newMeterBeside is a meter that leaves processes out which run beside, as a cluster's do.
func newMeterBeside(b *testing.B, others []int) *meter {
	m := &meter{b: b, started: time.Now(), others: others, stop: make(chan struct{}), peak: make(chan [2]int64, 1)}
	go m.sample()
	return m
}

// run runs a program to its end and returns its output. The exit code is the caller's affair.
func (m *meter) run(dir, name string, args ...string) (stdout []byte, code int) {
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(m.b.Context(), name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &problems
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.b.Errorf("%s: %v", name, err)
		return nil, -1
	}
	m.cpu.Add(int64(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()))
	if err != nil && out.Len() == 0 {
		return problems.Bytes(), cmd.ProcessState.ExitCode()
	}
	return out.Bytes(), cmd.ProcessState.ExitCode()
}

func (m *meter) end() cost {
	wall := time.Since(m.started)
	close(m.stop)
	peak := <-m.peak
	return cost{wall: wall, cpu: time.Duration(m.cpu.Load()), together: peak[0], largest: peak[1]}
}

// sample looks twenty times a second at what all processes below this one hold. The kernel's own
// account of a child (ru_maxrss) is of no use: it begins with the size of whoever started it.
func (m *meter) sample() {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var together, largest int64
	for {
		select {
		case <-tick.C:
			var sum int64
			for _, pid := range descendants() {
				if slices.Contains(m.others, pid) {
					continue
				}
				sum += memory(pid, "smaps_rollup", "Pss:")
				largest = max(largest, memory(pid, "status", "VmHWM:"))
			}
			together = max(together, sum)
		case <-m.stop:
			m.peak <- [2]int64{together, largest}
			return
		}
	}
}

// descendants are all processes below this one.
func descendants() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if err != nil || len(fields) < 2 {
			continue // it has ended
		}
		if parent, err := strconv.Atoi(fields[1]); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	below := slices.Clone(children[os.Getpid()])
	for i := 0; i < len(below); i++ {
		below = append(below, children[below[i]]...)
	}
	return below
}

// memory is a figure of /proc in bytes, 0 when the process has ended.
func memory(pid int, file, key string) int64 {
	fields := strings.Fields(line(fmt.Sprintf("/proc/%d/%s", pid, file), key))
	if len(fields) == 0 {
		return 0
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return 0
	}
	return kib << 10
}

// middle is the median of several measurements, each figure by itself.
func middle(costs []cost) cost {
	return cost{
		wall: median(costs, func(c cost) time.Duration { return c.wall }), cpu: median(costs, func(c cost) time.Duration { return c.cpu }),
		checkout: median(costs, func(c cost) time.Duration { return c.checkout }),
		largest:  median(costs, func(c cost) int64 { return c.largest }), together: median(costs, func(c cost) int64 { return c.together }),
	}
}

func median[T any, V cmp.Ordered](all []T, value func(T) V) V {
	values := make([]V, len(all))
	for i, a := range all {
		values[i] = value(a)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// quantile is the smallest duration that a share of all does not exceed; all are sorted.
func quantile(all []time.Duration, share float64) time.Duration {
	return all[min(int(share*float64(len(all))), len(all)-1)]
}

// table is what a benchmark found, for people.
type table struct {
	title, text string
	header      []string
	rows        [][]string
}

func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, row)
}

// print shows a table that has rows, in Markdown.
func (t *table) print(b *testing.B) {
	b.Helper()
	if len(t.rows) == 0 {
		return
	}
	var out strings.Builder
	fmt.Fprintf(&out, "\n### %s\n\n%s\n\n| %s |\n|%s\n", t.title, t.text, strings.Join(t.header, " | "), strings.Repeat("---|", len(t.header)))
	for _, row := range t.rows {
		fmt.Fprintf(&out, "| %s |\n", strings.Join(row, " | "))
	}
	name := os.Getenv("BENCH_REPORT")
	if name == "" {
		fmt.Print(out.String())
		return
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = io.WriteString(file, out.String())
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		b.Fatalf("write the report: %v", err)
	}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) }

func millis(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64)
}

// BenchmarkMachine says on what the others run, and measures its disk.
func BenchmarkMachine(b *testing.B) {
	var flush time.Duration
	for b.Loop() {
		flush = flushTime(b)
	}
	t := table{title: "Machine", text: "As this run found it.", header: []string{"what", "which"}}
	t.add("processor", fmt.Sprintf("%s, %d logical", line("/proc/cpuinfo", "model name"), runtime.NumCPU()))
	t.add("memory", line("/proc/meminfo", "MemTotal"))
	t.add("load average when the run began", line("/proc/loadavg", ""))
	t.add("kernel", line("/proc/sys/kernel/osrelease", ""))
	t.add("Go", runtime.Version())
	t.add("git", output(b, "git", "version"))
	t.add("kustomize", module(b, "tools/kustomize"))
	t.add("conftest", module(b, "tools/conftest"))
	t.add("median time to write and flush 4 KiB here", millis(flush)+" ms")
	t.print(b)
}

// line is the value of the first line of a file that begins with a key.
func line(file, key string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for text := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(text, key); ok {
			return strings.TrimSpace(strings.TrimLeft(value, "\t :"))
		}
	}
	return "unknown"
}

// module is the module that a program was built from, with its version.
func module(b *testing.B, name string) string {
	b.Helper()
	info, err := buildinfo.ReadFile(built(b, name))
	if err != nil {
		b.Fatal(err)
	}
	return info.Main.Path + " " + info.Main.Version + ", " + info.GoVersion
}

func output(b *testing.B, name string, args ...string) string {
	b.Helper()
	out, err := exec.CommandContext(b.Context(), name, args...).Output()
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// flushTime is what the disk of temporary files needs to keep 4 KiB for good.
func flushTime(b *testing.B) time.Duration {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "flush"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // nobody reads it
	took := make([]time.Duration, 101)
	for i := range took {
		started := time.Now()
		if _, err := file.Write(make([]byte, 4096)); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(started)
	}
	return median(took, func(d time.Duration) time.Duration { return d })
}
