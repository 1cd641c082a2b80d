// Package render turns an application at a tree into a [manifest.Set] and says in which file and
// line each of its fields was set.
//
// All content of a tree is hostile. It is read and rendered in worker processes that the [Pool]
// starts from the program's own binary: empty environment, pipes only, no exec, no network, no
// file opened by the worker itself, budgets on time, memory and output. A worker gets a path's
// content by asking the pool, which answers from the request's [Tree].
//
// It knows kustomize, YAML and processes. It knows nothing of git, of how applications are found
// (application), of differences (diff) or of policies. It is the only user of kustomize's modules.
package render

import (
	"fmt"
	"io/fs"
	"runtime"
	"time"

	"github.com/mergegate/mergegate/internal/manifest"
)

// Tree is a tree of files at one commit. Paths are those of io/fs. Open, ReadFile, ReadDir and
// Stat follow symlinks inside the tree; what must not be followed or run (a link out of the tree,
// a submodule, a pointer, a filter) is an error that says so.
type Tree interface {
	fs.ReadFileFS
	fs.ReadDirFS
	fs.StatFS
	// Lstat and ReadLink do not follow a final symlink. A submodule has mode fs.ModeIrregular.
	Lstat(name string) (fs.FileInfo, error)
	ReadLink(name string) (string, error)
}

// Config says how workers are started and what each of them may use. Zero values stand for the
// defaults.
type Config struct {
	Command []string      // argv that starts a worker: the program and its worker subcommand
	Workers int           // how many render at the same time; default: the number of CPUs
	Timeout time.Duration // for one application; default 30s
	Memory  int64         // bytes of heap for one worker; default 1 GiB
	Output  int64         // bytes of JSON that one application may render to; default 32 MiB
}

// The defaults of [Config].
const (
	DefaultTimeout = 30 * time.Second
	DefaultMemory  = 1 << 30
	DefaultOutput  = 32 << 20
)

// maxOutput keeps a frame's length far inside its 32 bits.
const maxOutput = 1 << 30

func (c Config) withDefaults() (Config, error) {
	if len(c.Command) == 0 {
		return c, fmt.Errorf("configure render: no command to start a worker with")
	}
	if c.Workers < 0 || c.Timeout < 0 || c.Memory < 0 || c.Output < 0 || c.Output > maxOutput {
		return c, fmt.Errorf("configure render: workers %d, timeout %s, memory %d and output %d must not be negative, output at most %d", c.Workers, c.Timeout, c.Memory, c.Output, maxOutput)
	}
	if c.Workers == 0 {
		c.Workers = runtime.NumCPU()
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.Memory == 0 {
		c.Memory = DefaultMemory
	}
	if c.Output == 0 {
		c.Output = DefaultOutput
	}
	return c, nil
}

// The types of application that a [Request] may name.
const (
	TypeKustomize = "kustomize"
	TypeYAML      = "yaml"
)

// Request names an application at a tree.
type Request struct {
	Tree  Tree
	Path  string   // directory, slash-separated from the root of the tree, "." for the root
	Type  string   // TypeKustomize or TypeYAML
	Files []string // the manifest files of a TypeYAML application
}

// Result is what an application renders to.
type Result struct {
	Objects manifest.Set
	// Inputs are the paths that were read or looked for, sorted: the application renders to the
	// same while each of them has the same content, or is absent, as it was. Set with an error, too.
	Inputs []string
	// Skipped are the files of a TypeYAML application that hold no Kubernetes object at all, sorted.
	Skipped []string
}

// Query asks where a field of a rendered object was set.
type Query struct {
	// Object is the rendered object. Its content, masked or not, tells which item of a list an index
	// means; without content, indexes are taken as they are.
	Object  manifest.Object
	Pointer string // RFC 6901, "" for the object itself
}

// Class says whose fault an [Error] is.
type Class string

// The classes.
const (
	ClassInput       Class = "input"       // the application's files are wrong
	ClassUnsupported Class = "unsupported" // the application needs what is not supported or never run
	ClassTimeout     Class = "timeout"     // over the time budget, killed
	ClassMemory      Class = "memory"      // over the memory budget, killed
	ClassOutput      Class = "output"      // over the output budget
	ClassCrash       Class = "crash"       // the worker died or disobeyed
)

// Error says why an application cannot be rendered. Its text is for people: repository paths, no
// secret values.
type Error struct {
	Class   Class
	File    string // slash-separated path from the root of the tree, may be empty
	Line    int    // from 1, 0 when unknown
	Message string // what is wrong and the way out
	Detail  string // the renderer's own words, bounded, may be empty
}

// Error is the whole text: file and line, message, detail.
func (e *Error) Error() string {
	text := e.Message
	switch {
	case e.File != "" && e.Line > 0:
		text = fmt.Sprintf("%s:%d: %s", e.File, e.Line, text)
	case e.File != "":
		text = e.File + ": " + text
	}
	if e.Detail != "" {
		text += " (kustomize: " + e.Detail + ")"
	}
	return text
}

// Location is where the error is, its first line when none is known; nil without a file.
func (e *Error) Location() *manifest.Location {
	if e.File == "" {
		return nil
	}
	return &manifest.Location{File: e.File, Line: max(e.Line, 1)}
}
