// Package config reads the two configuration files: the repository's `.mergegate.yaml` and the
// server's settings.
//
// It knows their keys, their defaults and what makes a value valid, and it reports every problem of
// a file at once, each with its line and key. It opens no file, applies no setting and knows nothing
// of trees, GitHub or policies: the caller hands over bytes and gets values.
package config

import (
	"errors"
	"fmt"
)

// RepositoryFile is where a repository's configuration stands: at the root of the base branch.
const RepositoryFile = ".mergegate.yaml"

// APIVersion is the version of the repository configuration's format.
const APIVersion = "mergegate/v1"

// maxBytes bounds a configuration file; the format's own nodes cost many times their text.
const maxBytes = 1 << 20

// maxProblems bounds how many problems of one file are listed; the rest is counted.
const maxProblems = 50

// Problem is one thing that is wrong with a configuration. All problems of a file are joined: take
// them apart with [errors.As] or print the joined error, one problem per line.
type Problem struct {
	File string // as the caller named it
	Line int    // from 1; 0 where there is no line to point at
	Key  string // dotted path of the key: applications[0].path; empty for the file as a whole
	Text string // what is wrong, and the way out
}

// Error is `FILE:LINE: KEY: TEXT`, without the parts that are empty.
func (p Problem) Error() string {
	text := p.Text
	if p.Key != "" {
		text = p.Key + ": " + text
	}
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", p.File, p.Line, text)
	}
	return p.File + ": " + text
}

// join makes one error of all problems, or nil of none.
func join(file string, problems []Problem) error {
	errs := make([]error, 0, min(len(problems), maxProblems+1))
	for i, p := range problems {
		if i == maxProblems {
			rest := Problem{File: file, Text: fmt.Sprintf("and %d more problems", len(problems)-maxProblems)}
			errs = append(errs, rest)
			break
		}
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}
