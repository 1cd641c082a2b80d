// Package command is the grammar of slash commands: which lines of a comment are commands, what they
// mean, who may use them, and the help that says so.
//
// It knows text and the table of commands. It must not know GitHub, who wrote a comment or what a
// command does; the caller checks the writer's permission against [Spec.Permission].
package command

import (
	"slices"
	"strings"
	"unicode"
)

// Permission is a collaborator's permission on the repository, as the platform names it.
type Permission string

// The permissions, weakest first.
const (
	Read     Permission = "read"
	Write    Permission = "write"
	Maintain Permission = "maintain"
	Admin    Permission = "admin"
)

// Satisfies says whether somebody with p may do what needs required. An unknown permission, on either
// side, satisfies nothing; triage is read with a say over labels.
func (p Permission) Satisfies(required Permission) bool {
	order := []Permission{Read, Write, Maintain, Admin}
	if p == "triage" {
		p = Read
	}
	have, need := slices.Index(order, p), slices.Index(order, required)
	return have >= 0 && need >= 0 && have >= need
}

// Spec says what one command is.
type Spec struct {
	Name        string     // the word after the slash
	Usage       string     // with its arguments
	Description string     // one sentence for people
	Permission  Permission // the least that may use it
	// Mutating commands start work or change something: at most one of them per comment.
	Mutating bool
	MaxArgs  int
	Examples []string
}

// Table returns every command, in the order in which help lists them.
func Table() []Spec {
	return []Spec{
		{
			Name:        "plan",
			Usage:       "/plan [application...]",
			Description: "Plans the pull request again, on the newest base. The verdict covers every application, whichever are named.",
			Permission:  Write,
			Mutating:    true,
			MaxArgs:     50,
			Examples:    []string{"/plan", "/plan payments-production"},
		},
		{
			Name:        "help",
			Usage:       "/help",
			Description: "Lists the commands and who may use them.",
			Permission:  Read,
			Examples:    []string{"/help"},
		},
	}
}

// Lookup returns the command of that name.
func Lookup(name string) (Spec, bool) {
	table := Table()
	i := slices.IndexFunc(table, func(s Spec) bool { return s.Name == name })
	if i < 0 {
		return Spec{}, false
	}
	return table[i], true
}

// Command is one command that a comment gives.
type Command struct {
	Name string
	Args []string
	Line int // of the comment's body, from 1
}

// Problem is something that looks like a command of ours and is none that can be run.
type Problem struct {
	Line int
	// Message says what is wrong and what to do. It holds nothing of the comment's text.
	Message string
}

// Parse reads the commands of a comment in their order, each one once.
//
// Only a line that starts with the command is one: text in code, quotes, HTML comments, <details> and
// the like is not, and where the reading is in doubt, neither. Words that are not ours are somebody
// else's commands and ignored, unless they are one letter off. Where more than one mutating command is
// given, none of them is returned.
func Parse(body string) ([]Command, []Problem) {
	var p parser
	for _, l := range commandLines(body) {
		p.line(l)
	}
	return p.result()
}

// parser collects what the command lines of one comment say.
type parser struct {
	commands []Command
	problems []Problem
	seen     map[string]bool // commands as they stand, without needless spaces
}

func (p *parser) line(l line) {
	tokens := strings.FieldsFunc(l.text, func(r rune) bool { return r == ' ' || r == '\t' })
	if len(tokens) == 0 {
		return
	}
	word := strings.TrimPrefix(tokens[0], "/")
	if !ascii(word) {
		return
	}
	spec, known := Lookup(word)
	if !known {
		p.suggest(word, l.number)
		return
	}
	args := tokens[1:]
	if message := checkArgs(spec, args); message != "" {
		p.problem(l.number, message)
		return
	}
	c := Command{Name: spec.Name, Args: args, Line: l.number}
	key := strings.Join(tokens, " ")
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	if !p.seen[key] {
		p.seen[key] = true
		p.commands = append(p.commands, c)
	}
}

func (p *parser) suggest(word string, line int) {
	for _, s := range Table() {
		if oneOff(word, s.Name) {
			p.problem(line, "unknown command: did you mean /"+s.Name+"?")
			return
		}
	}
}

// problem adds a problem that no earlier line has.
func (p *parser) problem(line int, message string) {
	if !slices.ContainsFunc(p.problems, func(o Problem) bool { return o.Message == message }) {
		p.problems = append(p.problems, Problem{Line: line, Message: message})
	}
}

func (p *parser) result() ([]Command, []Problem) {
	mutating := func(c Command) bool { s, _ := Lookup(c.Name); return s.Mutating }
	var first, count int
	for _, c := range p.commands {
		if mutating(c) {
			if count++; count == 2 {
				first = c.Line
			}
		}
	}
	if count > 1 {
		p.commands = slices.DeleteFunc(p.commands, mutating)
		p.problem(first, "more than one command that starts work in one comment: none was run, give one per comment")
	}
	return p.commands, p.problems
}

// maxArg is how long an argument may be, in bytes: longer than any path that git accepts in practice.
const maxArg = 1024

func checkArgs(s Spec, args []string) string {
	if len(args) > s.MaxArgs {
		if s.MaxArgs == 0 {
			return "/" + s.Name + " takes no arguments: put it alone on its line"
		}
		return "too many arguments: usage is " + s.Usage
	}
	for _, a := range args {
		if len(a) > maxArg || strings.ContainsFunc(a, hidden) {
			return "an argument of /" + s.Name + " is too long or has invisible characters: type it again"
		}
	}
	return ""
}

// hidden says whether a character does not show as itself in a comment.
func hidden(r rune) bool {
	return r == unicode.ReplacementChar || !unicode.IsGraphic(r) || unicode.IsSpace(r)
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// oneOff says whether one edit (a letter added, dropped, changed, or two neighbours swapped) turns a into b.
func oneOff(a, b string) bool {
	if a == b || len(a) > len(b)+1 || len(b) > len(a)+1 {
		return false
	}
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	switch restA, restB := a[i:], b[i:]; {
	case len(a) > len(b):
		return restA[1:] == restB
	case len(a) < len(b):
		return restA == restB[1:]
	case restA[1:] == restB[1:]:
		return true
	default:
		return len(restA) > 1 && restA[0] == restB[1] && restA[1] == restB[0] && restA[2:] == restB[2:]
	}
}
