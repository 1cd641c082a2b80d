package bare

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type repo struct {
	*Repo
	t *testing.T
}

func newRepo(t *testing.T) repo {
	t.Helper()
	r, err := Init(t.TempDir(), "main")
	if err != nil {
		t.Fatal(err)
	}
	return repo{r, t}
}

// commit writes files on top of a parent ("" for none).
func (r repo) commit(parent string, edit Edit) string {
	r.t.Helper()
	tree, err := r.EditTree(parent, edit)
	if err != nil {
		r.t.Fatal(err)
	}
	who := Signature{Name: "t", Email: "t@example.com", When: time.Unix(1_700_000_000, 0)}
	spec := CommitSpec{Tree: tree, Message: "subject\n\nbody", Author: who, Committer: who}
	if parent != "" {
		spec.Parents = []string{parent}
	}
	id, err := r.WriteCommit(spec)
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

func write(kv ...string) Edit {
	e := Edit{Write: map[string]string{}}
	for i := 0; i < len(kv); i += 2 {
		e.Write[kv[i]] = kv[i+1]
	}
	return e
}

func TestDiff(t *testing.T) {
	r := newRepo(t)
	long := "1\n2\n3\n4\n5\n6\n7\n8\n"
	a := r.commit("", write("keep", "k\n", "edit", "a\n", "drop", "d\n", "old name", long, "bin", "\x00\x01"))
	b := r.commit(a, Edit{Write: map[string]string{"edit": "b\n", "new\tname": long, "add": "x", "bin": "\x00\x02"}, Remove: []string{"drop", "old name"}})
	got, err := r.Diff(a, b)
	if err != nil {
		t.Fatal(err)
	}
	var flat [][3]any
	for _, c := range got {
		flat = append(flat, [3]any{c.Status, c.Path + c.Previous, [2]int{c.Additions, c.Deletions}})
	}
	want := [][3]any{
		{"added", "add", [2]int{1, 0}},
		{"modified", "bin", [2]int{0, 0}},
		{"removed", "drop", [2]int{0, 1}},
		{"modified", "edit", [2]int{1, 1}},
		{"renamed", "new\tname" + "old name", [2]int{0, 0}},
	}
	if diff := cmp.Diff(want, flat); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
	if p := got[3].Patch; p != "@@ -1 +1 @@\n-a\n+b" {
		t.Errorf("patch = %q", p)
	}
}

func TestMergeAndRebase(t *testing.T) {
	r := newRepo(t)
	base := r.commit("", write("a", "1\n", "b", "1\n"))
	ours := r.commit(base, write("a", "2\n"))
	one := r.commit(base, write("b", "2\n"))
	two := r.commit(one, write("c", "1\n"))
	tree, err := r.Merge(ours, two)
	if err != nil {
		t.Fatal(err)
	}
	tip, err := r.Rebase(ours, two, Signature{Name: "c", Email: "c@example.com", When: time.Unix(1_700_000_001, 0)})
	if err != nil {
		t.Fatal(err)
	}
	log, err := r.Log(ours + ".." + tip)
	if err != nil || len(log) != 2 || log[0].Tree != tree || log[0].Author.Name != "t" || log[0].Committer.Name != "c" || log[0].Message != "subject\n\nbody" {
		t.Errorf("rebased = %+v, %v", log, err)
	}
	clash := r.commit(base, write("a", "3\n"))
	if _, err := r.Merge(ours, clash); !errors.Is(err, ErrConflict) {
		t.Errorf("merge of a conflict: %v", err)
	}
	if _, err := r.Rebase(ours, clash, Signature{Name: "c", Email: "c", When: time.Unix(1_700_000_001, 0)}); !errors.Is(err, ErrConflict) {
		t.Errorf("rebase of a conflict: %v", err)
	}
}

func TestUpdateIsCompareAndSwap(t *testing.T) {
	r := newRepo(t)
	a := r.commit("", write("a", "1\n"))
	b := r.commit(a, write("a", "2\n"))
	if err := r.Update("refs/heads/main", a, Zero); err != nil {
		t.Fatal(err)
	}
	if err := r.Update("refs/heads/main", b, b); err == nil {
		t.Error("a ref moved from a value that it did not have")
	}
	if err := r.Update("refs/heads/main", b, Zero); err == nil {
		t.Error("a ref was made that existed")
	}
	if err := r.Update("refs/heads/main", b, a); err != nil {
		t.Error(err)
	}
	if got, known := r.Branch("main"); !known || got != b {
		t.Errorf("main = %s, want %s", got, b)
	}
	if _, known := r.Commit("--all"); known {
		t.Error("an option was taken for a revision")
	}
}
