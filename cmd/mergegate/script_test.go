package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mergegate/mergegate/internal/clustertest"
)

// TestScript runs the scenarios of testdata/script against the real program and real repositories.
//
// Beside testscript's own commands a script has those of [commands]. A scenario's repository stands
// in $WORK/repo and is made by `commit`, from folders of the script. UPDATE=1 writes the files that
// `cmp` compares with anew.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Cmds: withCluster(t), RequireExplicitExec: true, RequireUniqueNames: true,
		UpdateScripts: os.Getenv("UPDATE") != "",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(
				e.Vars, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+filepath.Join(e.WorkDir, ".gitconfig"),
				"GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@example.com", "GIT_AUTHOR_DATE=2025-01-01T00:00:00Z",
				"GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@example.com", "GIT_COMMITTER_DATE=2025-01-01T00:00:00Z",
			)
			config := "[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n"
			return os.WriteFile(filepath.Join(e.WorkDir, ".gitconfig"), []byte(config), 0o600)
		},
	})
}

type script = testscript.TestScript

// withCluster are all commands, with those that need a cluster, which is started for the first of them:
//
//   - cluster: sets $KUBECONFIG; the cluster is shared, so each script has namespaces of its own;
//   - kubectl ARG...: runs kubectl on it.
func withCluster(t *testing.T) map[string]func(ts *script, neg bool, args []string) {
	all := maps.Clone(commands)
	all["cluster"] = func(ts *script, neg bool, args []string) {
		if neg || len(args) != 0 {
			ts.Fatalf("usage: cluster")
		}
		ts.Setenv("KUBECONFIG", clustertest.Start(t).Kubeconfig)
	}
	all["kubectl"] = func(ts *script, neg bool, args []string) {
		err := ts.Exec(clustertest.Binary(t), append([]string{"kubectl"}, args...)...)
		if (err != nil) != neg {
			ts.Fatalf("kubectl %s: %v", strings.Join(args, " "), err)
		}
	}
	return all
}

// commands are what scripts can do beside testscript's own commands.
var commands = map[string]func(ts *script, neg bool, args []string){
	"commit":  commit,
	"inert":   inert,
	"key":     key,
	"plan":    planScript,
	"repeat":  repeat,
	"schema":  schema,
	"sibling": sibling,
	"state":   state,
	"status":  status,
}

// commit NAME DIR [PARENT] commits the files of DIR on top of PARENT (default: what is checked out)
// in $WORK/repo, as branch NAME. What is changed in the work tree already goes into it too.
func commit(ts *script, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: commit NAME DIR [PARENT]")
	}
	repo := ts.MkAbs("repo")
	if _, err := os.Stat(repo); errors.Is(err, fs.ErrNotExist) {
		ts.Check(ts.Exec("git", "init", "-q", repo))
	}
	if len(args) == 3 {
		ts.Check(ts.Exec("git", "-C", repo, "checkout", "-q", "--detach", args[2]))
	}
	ts.Check(ts.Exec("git", "-C", repo, "checkout", "-q", "-B", args[0]))
	ts.Check(ts.Exec("cp", "-RP", ts.MkAbs(args[1])+"/.", repo))
	ts.Check(ts.Exec("git", "-C", repo, "add", "-A"))
	ts.Check(ts.Exec("git", "-C", repo, "commit", "-q", "--allow-empty", "-m", args[0]))
}

// inert FILE checks that what is Markdown in FILE is only what a report itself writes: outside of
// code there is no HTML but the report's own, no mention, no link, no heading but the first.
func inert(ts *script, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: inert FILE")
	}
	var rest []string
	fence := ""
	for _, line := range strings.Split(ts.ReadFile(args[0]), "\n") {
		marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence != "" && len(marks) >= len(fence) && marks == strings.TrimSpace(line):
			fence = ""
		case fence == "" && len(marks) >= 3:
			fence = marks
		case fence == "" && strings.HasPrefix(line, "<details"): // HTML up to an empty line
			rest = append(rest, regexp.MustCompile(`<code>[^<]*</code>`).ReplaceAllString(line, ""))
		case fence == "":
			rest = append(rest, codeSpans(line))
		}
	}
	if fence != "" {
		ts.Fatalf("%s: a fence of code is not closed", args[0])
	}
	text := strings.Join(rest, "\n")
	text = regexp.MustCompile(`</?(details|summary|b|code|br)( open)?>|<!-- plan [a-z0-9: ]+ -->`).ReplaceAllString(text, "")
	for _, wrong := range []string{`<`, `@\w`, `\]\(`, `(?m)^\s*#{1,2} `, `(?m)^\s*::`} {
		if found := regexp.MustCompile(".*" + wrong + ".*").FindString(text); found != "" {
			ts.Fatalf("%s: text that does something: %s", args[0], found)
		}
	}
}

// codeSpans takes the spans of code out of a line of Markdown: a run of backticks up to the next run
// of the same length.
func codeSpans(line string) string {
	var out strings.Builder
	for {
		start := strings.IndexByte(line, '`')
		if start < 0 {
			return out.String() + line
		}
		run := len(line[start:]) - len(strings.TrimLeft(line[start:], "`"))
		end := regexp.MustCompile("(^|[^`])`{" + strconv.Itoa(run) + "}([^`]|$)").FindStringIndex(line[start+run:])
		out.WriteString(line[:start])
		if end == nil {
			return out.String() + line[start:]
		}
		line = strings.TrimPrefix(line[start+run+end[0]+1:], strings.Repeat("`", run))
	}
}

// key FILE writes a new private key as GitHub offers one for download.
func key(ts *script, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: key FILE")
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(block), 0o600))
}

// sibling adds to the folders base and head an application that is fine, apps/sibling, whose one
// object is updated by the change; and to base a policy that says nothing against it. Whatever is
// wrong elsewhere, it must be planned.
func sibling(ts *script, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: sibling")
	}
	for name, text := range map[string]string{
		"base/apps/sibling/kustomization.yaml": "resources: [color.yaml]\n",
		"base/apps/sibling/color.yaml":         "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sibling\ndata:\n  color: red\n",
		"head/apps/sibling/color.yaml":         "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sibling\ndata:\n  color: blue\n",
		"base/policy/color.rego":               "package color\n\nimport rego.v1\n\ndeny contains \"it is black\" if input.data.color == \"black\"\n",
	} {
		file := ts.MkAbs(name)
		ts.Check(os.MkdirAll(filepath.Dir(file), 0o750))
		ts.Check(os.WriteFile(file, []byte(text), 0o600))
	}
}

// status CODE PROGRAM ARG... runs a program that must end with the exit code.
func status(ts *script, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got, err = exit.ExitCode(), nil
	}
	ts.Check(err)
	if got != want {
		ts.Fatalf("%s: exit status %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// plan CODE [FLAG...] plans the merge of branch head into branch base of $WORK/repo.
func planScript(ts *script, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: plan CODE [FLAG...]")
	}
	status(ts, false, append([]string{args[0], "mergegate", "plan", "--repo", "repo", "--base", "base", "--head", "head"}, args[1:]...))
}

// repeat FILE COUNT TEXT appends COUNT times TEXT to FILE. In both, {n} is the number of the time,
// \n a new line and \xHH a byte.
func repeat(ts *script, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: repeat FILE COUNT TEXT")
	}
	count, err := strconv.Atoi(args[1])
	ts.Check(err)
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(args[2], `"`, `\"`) + `"`)
	ts.Check(err)
	files := map[string]*strings.Builder{}
	for n := range count {
		number := strconv.Itoa(n)
		name := ts.MkAbs(strings.ReplaceAll(args[0], "{n}", number))
		if files[name] == nil {
			files[name] = &strings.Builder{}
		}
		files[name].WriteString(strings.ReplaceAll(text, "{n}", number))
	}
	for name, content := range files {
		ts.Check(os.MkdirAll(filepath.Dir(name), 0o750))
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		ts.Check(err)
		_, err = f.WriteString(content.String())
		ts.Check(errors.Join(err, f.Close()))
	}
}

// schema FILE checks that FILE (or stdout) is one JSON document, valid by the plan's schema.
func schema(ts *script, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: schema FILE")
	}
	compiled, err := jsonschema.NewCompiler().Compile(schemaFile)
	ts.Check(err)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(compiled.Validate(document))
}

// schemaFile is the contract of the JSON document.
const schemaFile = "../../internal/report/testdata/plan.schema.json"

// state DIR FILE writes down everything that a repository is: references, index, work tree,
// objects, and every file in it with its time. Two of them are equal when nothing wrote to it.
func state(ts *script, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: state DIR FILE")
	}
	var text strings.Builder
	dir := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&text, name, info.Mode(), info.Size(), info.ModTime().UnixNano())
		}
		return err
	}))
	for _, question := range []string{"count-objects -v", "for-each-ref", "rev-parse HEAD", "fsck --no-progress", "config --list --local"} {
		ts.Check(ts.Exec("git", append([]string{"-C", dir}, strings.Fields(question)...)...))
		fmt.Fprintf(&text, "git %s\n%s", question, ts.ReadFile("stdout"))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text.String()), 0o600))
}
