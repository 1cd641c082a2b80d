package command

import (
	"fmt"
	"strings"
)

// Help is the list of commands in Markdown. Nothing in it comes from a comment.
func Help() string {
	var b strings.Builder
	b.WriteString("| Command | What it does | Who may use it | Examples |\n|---|---|---|---|\n")
	for _, s := range Table() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", s.Usage, s.Description, s.Permission.people(), strings.Join(s.Examples, "`, `"))
	}
	b.WriteString("\nA command stands at the start of a line of a new comment, outside quotes and code; edited comments are not read.\n")
	return b.String()
}

// people names those who have at least the permission.
func (p Permission) people() string {
	switch p {
	case Read:
		return "everybody who can read the repository"
	default:
		return fmt.Sprintf("people with the %s permission or more", p)
	}
}

// Denied is the answer to somebody who may not use the command.
func Denied(s Spec) string {
	return fmt.Sprintf("/%s was not run: it is for %s", s.Name, s.Permission.people())
}
