package report

import (
	"fmt"
	"strings"
)

// checksText writes check runs for people to read in a golden file.
func checksText(runs []CheckRun) string {
	var b strings.Builder
	for _, r := range runs {
		fmt.Fprintf(&b, "# %s: %s %s\n\nTitle: %s\n\n## Summary\n\n%s\n## Text\n\n%s\n## Annotations\n\n", r.Name, r.Status, r.Conclusion, r.Title, r.Summary, r.Text)
		for i, a := range r.Annotations {
			if i == 20 {
				fmt.Fprintf(&b, "and %d more\n", len(r.Annotations)-i)
				break
			}
			fmt.Fprintf(&b, "%s:%d-%d %s %q %q\n", a.Path, a.StartLine, a.EndLine, a.Level, a.Title, a.Message)
		}
		fmt.Fprintf(&b, "\n%+v\n\n", r.Actions)
	}
	return b.String()
}
