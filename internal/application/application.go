// Package application says what is deployable in a tree ([Discover]) and which of it a change
// affects ([Affected]).
//
// It knows directories, the names and forms of kustomizations, charts and manifests, and what they
// refer to. It renders nothing: what an application reads is over-approximated from every string in
// it that leads to a file, so that a change is never missed. It knows nothing of git, of objects or
// of what differs in them.
//
// All content of a tree is hostile and is looked at in this process: files are bounded, aliases are
// not expanded, nothing outside of the tree is followed, and what cannot be understood is taken to
// depend on everything.
package application

import (
	"io/fs"
	"slices"
)

// Tree is a tree of files at one commit. Paths are those of io/fs.
type Tree interface {
	ReadDir(name string) ([]fs.DirEntry, error)
	ReadFile(name string) ([]byte, error)
	// ReadLink returns where a symlink points, as it is written.
	ReadLink(name string) (string, error)
	// ID is the git object id at a path, without following a final symlink, and empty where nothing is.
	ID(name string) string
}

// The types of applications.
const (
	Kustomize = "kustomize" // a directory with a kustomization
	Helm      = "helm"      // a directory with a chart
	YAML      = "yaml"      // plain manifest files
)

// Application is something deployable in a tree.
type Application struct {
	Name        string   // unique in the tree
	Path        string   // directory, slash-separated from the root of the tree, "." for the root
	Type        string   // Kustomize, Helm or YAML
	Environment string   // empty where neither configuration nor path name one
	Cluster     string   // empty where neither configuration nor path name one
	Clusters    []string // of an environment on several clusters, which then has no Cluster
	Files       []string // the manifest files of a YAML application, sorted; nil for other types
}

func (a Application) equal(b Application) bool {
	return a.Name == b.Name && a.Path == b.Path && a.Type == b.Type &&
		a.Environment == b.Environment && a.Cluster == b.Cluster && slices.Equal(a.Clusters, b.Clusters) && slices.Equal(a.Files, b.Files)
}

// Catalog is what is deployable in one tree. It may be used concurrently.
type Catalog struct {
	Applications []Application // sorted by name
	// Unmatched are the paths of the configuration that no directory of the tree matches.
	Unmatched []string

	graph *graph
}
