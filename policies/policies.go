// Package policies is the built-in library: Rego policies with stable ids, each in a directory with
// its tests, its description, manifests that pass and manifests that do not. The Go part only embeds
// them.
//
// It knows nothing of how policies are evaluated or configured; README.md says what a directory holds.
package policies

import (
	"embed"
	"io/fs"
)

//go:embed README.md lib/*.rego MG*/*.rego MG*/README.md
var files embed.FS

// Files are the policies, their tests and their descriptions, each directory below the root. The
// manifests that show them are not part of the program.
func Files() fs.FS { return files }
