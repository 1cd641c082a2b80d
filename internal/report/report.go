// Package report turns a plan into what people and machines read: text, Markdown, JSON, SARIF, JUnit,
// GitHub workflow commands, check runs, the one comment on a pull request, and a page.
//
// It knows plans, how the platform renders text and the platform's size limits. It decides nothing:
// what it calls blocked, the verdict has blocked. It must not know how a plan came to be, and reads
// and sends nothing.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mergegate/mergegate/internal/manifest"
	"github.com/mergegate/mergegate/internal/plan"
)

// Format is a form in which a plan is written.
type Format string

// The formats.
const (
	FormatText     Format = "text"
	FormatMarkdown Format = "markdown"
	FormatJSON     Format = "json"
	FormatSARIF    Format = "sarif"
	FormatJUnit    Format = "junit"
	FormatGitHub   Format = "github"
)

// Formats lists the formats that Write knows.
func Formats() []Format {
	return []Format{FormatText, FormatMarkdown, FormatJSON, FormatSARIF, FormatJUnit, FormatGitHub}
}

// Write writes the plan in a format.
func Write(w io.Writer, format Format, p plan.Plan) error {
	var out []byte
	var err error
	switch format {
	case FormatText:
		out = []byte(Text(p, TextOptions{}))
	case FormatMarkdown:
		out = []byte(Markdown(p))
	case FormatJSON:
		out, err = JSON(p)
	case FormatSARIF:
		out, err = SARIF(p)
	case FormatJUnit:
		out, err = JUnit(p)
	case FormatGitHub:
		out = []byte(GitHub(p))
	default:
		return fmt.Errorf("write plan: unknown format %q: use one of %s", format, formatNames())
	}
	if err != nil {
		return err
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write plan as %s: %w", format, err)
	}
	return nil
}

func formatNames() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// JSON is the plan as its document: indented by two, ended by a line end.
func JSON(p plan.Plan) ([]byte, error) {
	return encode(complete(p))
}

// encode writes v as JSON for people and machines.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return b.Bytes(), nil
}

// complete is p with the lists that the document always has. It leaves p itself alone.
func complete(p plan.Plan) plan.Plan {
	if p.Reasons == nil {
		p.Reasons = []string{}
	}
	p.Applications = append([]plan.Application{}, p.Applications...)
	for i := range p.Applications {
		a := &p.Applications[i]
		if a.Changes == nil {
			a.Changes = []plan.Change{}
		}
		if a.Findings == nil {
			a.Findings = []plan.Finding{}
		}
	}
	return p
}

// GitHub is the plan as workflow commands of GitHub Actions: what is new as annotations, then one line
// that says the verdict.
func GitHub(p plan.Plan) string {
	v := newView(p)
	var b strings.Builder
	b.WriteString(v.liveCommands())
	for _, f := range v.failures {
		b.WriteString(workflowCommand("error", f.location, "Could not be planned: "+list(f.apps, maxNames, plain), f.message))
	}
	for _, f := range v.findings {
		if !f.counts() && !f.blocks() {
			continue
		}
		message := f.Message
		if len(f.apps) > 0 {
			message += "\nin " + list(f.apps, maxNames, plain)
		}
		b.WriteString(workflowCommand(workflowLevel(f.Severity), f.Location, f.label(), message))
	}
	for _, r := range v.reasons() {
		b.WriteString(workflowCommand("error", nil, "mergegate", r))
	}
	for _, n := range v.notes {
		b.WriteString(workflowCommand("notice", nil, strings.Join(append([]string{"mergegate"}, n.apps[:min(1, len(n.apps))]...), ": "), n.text))
	}
	b.WriteString(v.headline() + " (" + terminal(p.Digest) + ")\n")
	return b.String()
}

// workflowLevel is a severity as a workflow command.
func workflowLevel(s plan.Severity) string {
	if l := level(s); l != "failure" {
		return l
	}
	return "error"
}

// workflowCommand is one command with its line end.
func workflowCommand(command string, at *manifest.Location, title, message string) string {
	var properties []string
	if at != nil && at.File != "" {
		properties = append(properties, "file="+workflowProperty(at.File))
		if at.Line > 0 {
			properties = append(properties, "line="+strconv.Itoa(at.Line))
		}
	}
	properties = append(properties, "title="+workflowProperty(clip(title, maxTitle)))
	return "::" + command + " " + strings.Join(properties, ",") + "::" + workflowData(message) + "\n"
}
