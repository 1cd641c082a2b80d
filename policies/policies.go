// Package policies is the built-in library: Rego policies with stable ids, each in a directory with
// its tests, its description, a manifest that passes and one that does not. The Go part only embeds
// them.
package policies

import (
	"embed"
	"io/fs"
)

//go:embed *
var files embed.FS

// Files are the library's files.
func Files() fs.FS { return files }
