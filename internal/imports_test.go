// Package internal holds no code of its own: this test keeps the import graph of the packages
// below it as ARCHITECTURE.md shows it.
package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/mergegate/mergegate/"

// allowed says which packages of ours each package may import. A package that is not here is an
// error: add it here and to ARCHITECTURE.md. Values come first, then the stages in the order in
// which data flows, then the adapters. Nothing imports upward.
var allowed = map[string]string{
	"internal/manifest": "",
	"internal/pull":     "",
	"internal/config":   "",
	"internal/audit":    "",
	"internal/plan":     "internal/manifest",
	"internal/kube":     "internal/manifest",

	"internal/source":      "",
	"internal/application": "internal/config",
	"internal/render":      "internal/manifest",
	"internal/diff":        "internal/manifest internal/plan",
	"internal/policy":      "internal/manifest internal/plan internal/pull",
	"internal/live":        "internal/manifest internal/plan internal/kube internal/diff internal/schema",
	"internal/verdict":     "internal/manifest internal/plan",
	"internal/schema":      "",
	"internal/report":      "internal/manifest internal/plan",
	"internal/command":     "",

	"internal/cluster": "internal/kube",
	"internal/webhook": "",
	"internal/github":  "internal/pull",
	"internal/store":   "internal/audit internal/pull",
	"internal/queue":   "internal/store",
	"internal/web":     "",

	"internal/pipeline": "internal/manifest internal/pull internal/config internal/plan internal/source internal/application internal/render " +
		"internal/diff internal/live internal/policy internal/verdict",
	"internal/gate": "internal/audit internal/pull internal/plan internal/source internal/verdict internal/report internal/command internal/pipeline " +
		"internal/github internal/store internal/queue",

	"policies": "",

	"internal/clustertest":        "",
	"internal/faultproxy":         "",
	"internal/githubsim":          "internal/githubsim/bare internal/githubsim/hook internal/githubsim/markdown",
	"internal/githubsim/bare":     "",
	"internal/githubsim/hook":     "",
	"internal/githubsim/markdown": "",
	"internal/githubsim/oracle":   "internal/githubsim",
	"internal/store/storetest":    "internal/store",
}

// homes says which package each SDK lives in; no other package may import it.
var homes = map[string]string{
	"github.com/google/go-github/":        "internal/github",
	"github.com/bradleyfalzon/":           "internal/github",
	"github.com/open-policy-agent/":       "internal/policy",
	"sigs.k8s.io/kustomize/":              "internal/render",
	"github.com/riverqueue/":              "internal/queue",
	"k8s.io/client-go/":                   "internal/cluster",
	"modernc.org/sqlite":                  "internal/store",
	"github.com/jackc/pgx/":               "internal/store internal/queue internal/store/storetest",
	"github.com/labstack/echo/":           "internal/webhook internal/web",
	"github.com/getkin/kin-openapi/":      "internal/githubsim/oracle",
	"k8s.io/apiextensions-apiserver/":     "internal/schema",
	"k8s.io/pod-security-admission/":      "internal/schema",
	"github.com/google/go-cmp/":           "", // tests only
	"github.com/rogpeppe/go-internal/":    "", // tests only
	"github.com/santhosh-tekuri/":         "", // tests only
	"github.com/mergegate/mergegate/cmd/": "",
}

func TestImports(t *testing.T) {
	for _, root := range []string{".", "../policies"} {
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "testdata" {
				return fs.SkipDir
			}
			if err != nil {
				return err
			}
			if filepath.Ext(file) == ".go" && !strings.HasSuffix(file, "_test.go") {
				checkFile(t, file)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func checkFile(t *testing.T, file string) {
	t.Helper()
	pkg := filepath.ToSlash(filepath.Dir(filepath.Join("internal", file)))
	may, known := allowed[pkg]
	if !known {
		t.Errorf("package %s is not in the table: add it here and to ARCHITECTURE.md", pkg)
	}
	src, err := os.ReadFile(file) // read here, so that the test cache sees the file
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, is := strings.CutPrefix(path, module); is && !slices.Contains(strings.Fields(may), ours) {
			t.Errorf("%s: %s must not import %s", file, pkg, ours)
		}
		for prefix, home := range homes {
			if strings.HasPrefix(path, prefix) && !slices.Contains(strings.Fields(home), pkg) {
				t.Errorf("%s: %s must not import %s: its home is %s", file, pkg, path, home)
			}
		}
	}
}
