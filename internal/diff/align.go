package diff

import "slices"

// block is a run of lines that differ: base[base:baseEnd] is replaced by head[head:headEnd].
type block struct{ base, baseEnd, head, headEnd int }

// maxEdits bounds the edit script that is searched for exactly, and with it memory (its square) and
// time. A longer one is cut at lines that occur once on both sides.
const maxEdits = 1000

// align finds the blocks of lines that differ, in order.
func align(base, head []string) []block {
	numbers := make(map[string]int32, len(base))
	a := aligner{base: intern(base, numbers), head: intern(head, numbers)}
	a.baseKept, a.headKept = make([]bool, len(base)), make([]bool, len(head))
	a.align(span{0, len(base), 0, len(head)})
	return a.blocks()
}

// intern replaces lines by numbers that are equal where the lines are.
func intern(lines []string, numbers map[string]int32) []int32 {
	interned := make([]int32, len(lines))
	for i, line := range lines {
		n, ok := numbers[line]
		if !ok {
			n = int32(len(numbers))
			numbers[line] = n
		}
		interned[i] = n
	}
	return interned
}

// aligner marks which lines of both sides are kept; they pair up in order.
type aligner struct {
	base, head         []int32
	baseKept, headKept []bool
}

// span is a part of both sides.
type span struct{ base, baseEnd, head, headEnd int }

func (a *aligner) keep(base, head int) { a.baseKept[base], a.headKept[head] = true, true }

func (a *aligner) align(s span) {
	for s.base < s.baseEnd && s.head < s.headEnd && a.base[s.base] == a.head[s.head] {
		a.keep(s.base, s.head)
		s.base, s.head = s.base+1, s.head+1
	}
	for s.base < s.baseEnd && s.head < s.headEnd && a.base[s.baseEnd-1] == a.head[s.headEnd-1] {
		s.baseEnd, s.headEnd = s.baseEnd-1, s.headEnd-1
		a.keep(s.baseEnd, s.headEnd)
	}
	if s.base == s.baseEnd || s.head == s.headEnd || a.shortest(s) {
		return
	}
	anchors := a.anchors(s)
	if len(anchors) == 0 {
		return // everything between differs
	}
	for _, at := range anchors {
		a.keep(at.base, at.head)
		a.align(span{s.base, at.base, s.head, at.head})
		s.base, s.head = at.base+1, at.head+1
	}
	a.align(s)
}

// shortest marks the lines that a shortest edit script keeps (Myers' greedy algorithm), and says
// false where that script is longer than maxEdits.
func (a *aligner) shortest(s span) bool {
	n, m := s.baseEnd-s.base, s.headEnd-s.head
	limit := min(n+m, maxEdits)
	reach := make([]int32, 2*limit+2) // per diagonal k, at k+limit: how far base is consumed
	var trace [][]int32
	for d := 0; d <= limit; d++ {
		for k := -d; k <= d; k += 2 {
			x := furthest(reach[limit-d:], d, k)
			y := x - k
			for x < n && y < m && a.base[s.base+x] == a.head[s.head+y] {
				x, y = x+1, y+1
			}
			reach[limit+k] = int32(x)
			if x >= n && y >= m {
				a.backtrack(s, trace)
				return true
			}
		}
		trace = append(trace, slices.Clone(reach[limit-d:limit+d+1]))
	}
	return false
}

// furthest is where diagonal k can start in round d; reach holds the diagonals from -d on.
func furthest(reach []int32, d, k int) int {
	switch {
	case d == 0:
		return 0
	case k == -d || k != d && reach[k-1+d] < reach[k+1+d]:
		return int(reach[k+1+d])
	}
	return int(reach[k-1+d]) + 1
}

// backtrack walks the edit script from its end and keeps what lies on its diagonals.
func (a *aligner) backtrack(s span, trace [][]int32) {
	x, y := s.baseEnd-s.base, s.headEnd-s.head
	for d := len(trace); d > 0; d-- {
		before := trace[d-1] // diagonals -(d-1) to d-1, at k+d-1
		at := func(k int) int {
			if k < 1-d || k > d-1 {
				return -1
			}
			return int(before[k+d-1])
		}
		k := x - y
		previous := k - 1
		if k == -d || k != d && at(k-1) < at(k+1) {
			previous = k + 1
		}
		startX := at(previous)
		startY := startX - previous
		for x > startX && y > startY {
			x, y = x-1, y-1
			a.keep(s.base+x, s.head+y)
		}
		x, y = startX, startY
	}
	for x > 0 && y > 0 {
		x, y = x-1, y-1
		a.keep(s.base+x, s.head+y)
	}
}

// anchor is a pair of equal lines.
type anchor struct{ base, head int }

// anchors are the lines that occur exactly once on each side of a span, as many as keep their order
// (patience diff).
func (a *aligner) anchors(s span) []anchor {
	type seen struct{ base, head, atBase, atHead int }
	count := map[int32]*seen{}
	for i := s.base; i < s.baseEnd; i++ {
		line := count[a.base[i]]
		if line == nil {
			line = &seen{}
			count[a.base[i]] = line
		}
		line.base, line.atBase = line.base+1, i
	}
	for i := s.head; i < s.headEnd; i++ {
		if line := count[a.head[i]]; line != nil {
			line.head, line.atHead = line.head+1, i
		}
	}
	var unique []anchor
	for i := s.base; i < s.baseEnd; i++ {
		if line := count[a.base[i]]; line.base == 1 && line.head == 1 {
			unique = append(unique, anchor{i, line.atHead})
		}
	}
	return longestAscending(unique)
}

// longestAscending is a longest subsequence whose head positions ascend.
func longestAscending(all []anchor) []anchor {
	var tails []int // index of the last anchor of the best subsequence of each length
	previous := make([]int, len(all))
	for i, at := range all {
		n, _ := slices.BinarySearchFunc(tails, at.head, func(j, head int) int { return all[j].head - head })
		previous[i] = -1
		if n > 0 {
			previous[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	longest := make([]anchor, len(tails))
	for n, i := len(tails)-1, tails[len(tails)-1]; n >= 0; n, i = n-1, previous[i] {
		longest[n] = all[i]
	}
	return longest
}

// blocks are the runs between kept lines.
func (a *aligner) blocks() []block {
	var all []block
	x, y := 0, 0
	for x < len(a.base) || y < len(a.head) {
		b := block{base: x, head: y}
		for x < len(a.base) && !a.baseKept[x] {
			x++
		}
		for y < len(a.head) && !a.headKept[y] {
			y++
		}
		b.baseEnd, b.headEnd = x, y
		if b.base != x || b.head != y {
			all = append(all, b)
		}
		for x < len(a.base) && y < len(a.head) && a.baseKept[x] && a.headKept[y] {
			x, y = x+1, y+1
		}
	}
	return all
}
