package source_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/source"
)

// repo is a real git repository in a temporary directory.
type repo struct {
	t   *testing.T
	dir string
}

func newRepo(t *testing.T) repo {
	r := repo{t, t.TempDir()}
	r.git("init", "--quiet", "--initial-branch=main")
	return r
}

func (r repo) git(args ...string) string {
	r.t.Helper()
	return r.gitIn("", args...)
}

func (r repo) gitIn(stdin string, args ...string) string {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", args...)
	cmd.Dir, cmd.Stdin = r.dir, strings.NewReader(stdin)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@example.com", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@example.com", "GIT_ALLOW_PROTOCOL=file")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files (a value "->x" is a symbolic link to x, "-" a removal) and commits them.
func (r repo) commit(files map[string]string) string {
	r.t.Helper()
	for name, content := range files {
		full := filepath.Join(r.dir, name)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			r.t.Fatal(err)
		}
		var err error
		switch target, link := strings.CutPrefix(content, "->"); {
		case link:
			err = os.Symlink(target, full)
		case content == "-":
			err = os.Remove(full)
		default:
			err = os.WriteFile(full, []byte(content), 0o644)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	r.git("add", "--all")
	r.git("commit", "--quiet", "--message=change")
	return r.git("rev-parse", "HEAD")
}

func (r repo) open() *source.Repository {
	r.t.Helper()
	opened, err := source.Open(r.t.Context(), r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return opened
}

func (r repo) tree(sha string) *source.Tree {
	r.t.Helper()
	tree, err := r.open().Tree(r.t.Context(), sha)
	if err != nil {
		r.t.Fatal(err)
	}
	return tree
}

func TestTreeIsAFileSystem(t *testing.T) {
	r := newRepo(t)
	sha := r.commit(map[string]string{"a.yaml": "a: 1\n", "dir/b.yaml": "b: 2\n", "dir/sub/ü.yaml": "c: 3\n", "dir/new\nline": "d\n"})
	if err := fstest.TestFS(r.tree(sha), "a.yaml", "dir/b.yaml", "dir/sub/ü.yaml", "dir/new\nline"); err != nil {
		t.Fatal(err)
	}
}

func TestTreeFollowsOnlyWhatItMay(t *testing.T) {
	r := newRepo(t)
	sub := newRepo(t)
	sub.commit(map[string]string{"x": "x"})
	r.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", sub.dir, "module")
	sha := r.commit(map[string]string{
		"real/file":      "content",
		"link":           "->real/file",
		"dirlink":        "->real",
		"real/up":        "->../link",
		"absolute":       "->/etc/passwd",
		"escape":         "->../../etc/passwd",
		"real/escape":    "->../../x",
		"loop":           "->loop2",
		"loop2":          "->loop",
		"pointer":        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
		".gitattributes": "*.crypt filter=git-crypt\nplain.txt -filter\n",
		"a.crypt":        "sealed",
		"plain.txt":      "plain",
	})
	tree := r.tree(sha)
	for name, want := range map[string]error{
		"link": nil, "dirlink/file": nil, "real/up": nil, "plain.txt": nil,
		"absolute": source.ErrOutside, "escape": source.ErrOutside, "real/escape": source.ErrOutside,
		"loop": source.ErrLoop, "module": source.ErrSubmodule, "pointer": source.ErrLFS, "a.crypt": source.ErrFilter,
		"missing": fs.ErrNotExist, "../x": fs.ErrInvalid, "link/x": fs.ErrNotExist,
	} {
		if _, err := tree.ReadFile(name); !errors.Is(err, want) {
			t.Errorf("ReadFile(%s): %v, want %v", name, err, want)
		}
	}
	if target, err := tree.ReadLink("link"); err != nil || target != "real/file" {
		t.Errorf("ReadLink(link) = %q, %v", target, err)
	}
	if info, err := tree.Lstat("module"); err != nil || info.Mode()&fs.ModeIrregular == 0 {
		t.Errorf("Lstat(module) = %v, %v", info, err)
	}
	if tree.ID("missing") != "" || tree.ID("dirlink") == tree.ID("real") {
		t.Error("ID follows links or invents objects")
	}
}

func TestMerge(t *testing.T) {
	r := newRepo(t)
	ctx := t.Context()
	start := r.commit(map[string]string{"a": "1\n", "b": "1\n"})
	r.git("checkout", "--quiet", "-b", "feature")
	head := r.commit(map[string]string{"a": "2\n"})
	r.git("checkout", "--quiet", "main")
	base := r.commit(map[string]string{"b": "2\n", "c": "3\n"})
	conflicting := r.commit(map[string]string{"a": "3\n"})
	objects := r.git("count-objects")

	opened := r.open()
	merged, err := opened.Merge(ctx, base, head)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := opened.Tree(ctx, merged)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"a": "2\n", "b": "2\n", "c": "3\n"} {
		if got, err := tree.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("merged %s = %q, %v; want %q", name, got, err, want)
		}
	}
	if after := r.git("count-objects"); after != objects {
		t.Errorf("the merge wrote into the repository: %s, then %s", objects, after)
	}
	if same, err := opened.Merge(ctx, start, head); err != nil || same != r.git("rev-parse", head+"^{tree}") {
		t.Errorf("merge into an ancestor = %s, %v; want head's own tree", same, err)
	}
	var conflict *source.ConflictError
	if _, err := opened.Merge(ctx, conflicting, head); !errors.As(err, &conflict) {
		t.Fatalf("merge of conflicting changes: %v", err)
	}
	if diff := cmp.Diff([]string{"a"}, conflict.Files); diff != "" {
		t.Errorf("conflicting files: %s", diff)
	}
	changed, err := opened.Changed(ctx, start, base)
	if diff := cmp.Diff([]string{"b", "c"}, changed); err != nil || diff != "" {
		t.Errorf("changed: %v %s", err, diff)
	}
}

func TestCommit(t *testing.T) {
	r := newRepo(t)
	sha := r.commit(map[string]string{"a": "1"})
	opened := r.open()
	for _, revision := range []string{"HEAD", "main", sha[:8], sha} {
		if got, err := opened.Commit(t.Context(), revision); err != nil || got != sha {
			t.Errorf("Commit(%s) = %s, %v", revision, got, err)
		}
	}
	for _, revision := range []string{"", "nowhere", "--all", "HEAD:a", strings.Repeat("0", 40)} {
		if got, err := opened.Commit(t.Context(), revision); !errors.Is(err, source.ErrNoRevision) {
			t.Errorf("Commit(%q) = %s, %v", revision, got, err)
		}
	}
	if _, err := source.Open(t.Context(), t.TempDir()); err == nil {
		t.Error("a directory that is no repository was opened")
	}
}

func TestMirrorFollowsItsRemote(t *testing.T) {
	remote := newRepo(t)
	first := remote.commit(map[string]string{"a": "1"})
	remote.git("config", "uploadpack.allowAnySHA1InWant", "true")
	dir := filepath.Join(t.TempDir(), "mirrors", "1.git")
	mirror, err := source.OpenMirror(t.Context(), dir, "file://"+remote.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer mirror.Close()
	fetch := func(want source.Wanted) (string, error) {
		shas, err := mirror.Fetch(context.WithoutCancel(t.Context()), nil, want)
		return strings.Join(shas, " "), err
	}
	if got, err := fetch(source.Wanted{Ref: "refs/heads/main"}); err != nil || got != first {
		t.Fatalf("first fetch: %s, %v", got, err)
	}
	second := remote.commit(map[string]string{"a": "2"})
	remote.git("commit", "--quiet", "--amend", "--message=rewritten")
	rewritten := remote.git("rev-parse", "HEAD")
	if got, err := fetch(source.Wanted{Ref: "refs/heads/main", SHA: second}); err != nil || got != second {
		t.Errorf("a commit the ref moved away from: %s, %v", got, err)
	}
	if got, err := fetch(source.Wanted{Ref: "refs/heads/main"}); err != nil || got != rewritten {
		t.Errorf("the branch after a force push: %s, %v", got, err)
	}
	for _, want := range []source.Wanted{{Ref: "refs/pull/1/head"}, {Ref: "refs/heads/main", SHA: strings.Repeat("ab", 20)}} {
		if _, err := fetch(want); !errors.Is(err, source.ErrGone) {
			t.Errorf("fetch %v: %v, want ErrGone", want, err)
		}
	}
	if _, err := source.OpenMirror(t.Context(), dir+"2", "https://user:secret@example.com/x.git"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a URL with credentials: %v", err)
	}
}

// TestTreeThatUnfoldsWithoutEnd: each of 10 trees has 10 entries that are all the tree before it.
func TestTreeThatUnfoldsWithoutEnd(t *testing.T) {
	r := newRepo(t)
	r.commit(map[string]string{"a": "1"})
	input := ""
	for i := range 10 {
		input += fmt.Sprintf("100644 blob %s\tf%d\n", r.git("rev-parse", "HEAD:a"), i)
	}
	for range 9 {
		tree := r.gitIn(input, "mktree")
		input = ""
		for i := range 10 {
			input += fmt.Sprintf("040000 tree %s\td%d\n", tree, i)
		}
	}
	bomb := r.git("commit-tree", "-m", "bomb", r.gitIn(input, "mktree"))
	if _, err := r.open().Tree(t.Context(), bomb); !errors.Is(err, source.ErrTooLarge) {
		t.Errorf("a tree of 10^10 files: %v", err)
	}
}
