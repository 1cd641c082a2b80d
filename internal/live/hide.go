package live

import (
	"regexp"

	"github.com/mergegate/mergegate/internal/kube"
	"github.com/mergegate/mergegate/internal/manifest"
)

// sensitiveName is what the name of an environment variable looks like that holds a secret.
var sensitiveName = regexp.MustCompile(`(?i)pass|secret|token|key|credential|auth|private|cert|dsn|conn`)

// hideForeign is a content in which the values of environment variables that Git does not know are
// masked: someone has set them in the cluster, perhaps since they do not belong into Git. The value of
// a variable that base sets in clear is shown, unless its name says that it is a secret.
func hideForeign(m Masker, content, base, head map[string]any) map[string]any {
	if kube.PodSpec(content) == nil {
		return content
	}
	inBase, known := map[string]bool{}, map[string]bool{}
	for _, v := range variables(base) {
		inBase[v.place()], known[v.place()+"\x00"+v.value] = true, true
	}
	for _, v := range variables(head) {
		known[v.place()+"\x00"+v.value] = true
	}
	content = manifest.Clone(content).(map[string]any)
	for _, v := range variables(content) {
		if v.value != "" && !known[v.place()+"\x00"+v.value] && (!inBase[v.place()] || sensitiveName.MatchString(v.name)) {
			v.entry["value"] = m.Value(v.value)
		}
	}
	return content
}

// variable is an environment variable of a container with a value of its own.
type variable struct {
	container, name, value string
	entry                  map[string]any
}

func (v variable) place() string { return v.container + "\x00" + v.name }

func variables(object map[string]any) []variable {
	var all []variable
	spec := kube.PodSpec(object)
	for _, field := range []string{"containers", "initContainers", "ephemeralContainers"} {
		for _, c := range items(spec[field]) {
			for _, e := range items(fields(c)["env"]) {
				entry := fields(e)
				if value, ok := entry["value"].(string); ok {
					all = append(all, variable{text(fields(c)["name"]), text(entry["name"]), value, entry})
				}
			}
		}
	}
	return all
}
