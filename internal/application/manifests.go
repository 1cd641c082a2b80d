package application

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// isManifestName says whether a file's name is one that a manifest may have.
func isManifestName(name string) bool {
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || slices.Contains(kustomizationNames(), base) {
		return false
	}
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(base))
}

// isManifest says whether a file looks like it holds a Kubernetes object: some document has the keys
// apiVersion and kind. One that cannot be parsed but may have them is taken for one: what is wrong
// with it is said where it is rendered.
func isManifest(data []byte) bool {
	named := bytes.Contains(data, []byte("apiVersion")) && bytes.Contains(data, []byte("kind"))
	hidden := escape.Match(data) // keys may be written so that they cannot be seen
	if !named && !hidden && !bytes.Contains(data, []byte("!")) {
		return false
	}
	if scanLines(data) || len(data) > maxDocument {
		return true
	}
	roots, err := decodeAll(data)
	return slices.ContainsFunc(roots, isObject) || err != nil && (named || hidden || readsOtherwise(data))
}

// escape is what stands for a letter in a string, or joins two lines of it; UTF-16 has zeros.
var escape = regexp.MustCompile(`\\[xuU\r\n]|\x00`)

// isObject says whether a document is an object for a cluster.
func isObject(root *yaml.Node) bool {
	for _, version := range texts(root, "apiVersion") {
		for _, kind := range texts(root, "kind") {
			if !isLocal(version, kind) {
				return true
			}
		}
	}
	return false
}

// scanLines looks for the keys at the start of lines, as they stand in nearly every manifest.
func scanLines(data []byte) bool {
	var version, kind string
	for line := range bytes.Lines(data) {
		if bytes.HasPrefix(line, []byte("---")) {
			version, kind = "", ""
			continue
		}
		if v, ok := keyed(line, "apiVersion"); ok {
			version = v
		}
		if v, ok := keyed(line, "kind"); ok {
			kind = v
		}
		if version != "" && kind != "" && !isLocal(version, kind) {
			return true
		}
	}
	return false
}

// keyed is the value of a top-level key on its line.
func keyed(line []byte, key string) (string, bool) {
	text := strings.TrimPrefix(string(bytes.TrimPrefix(line, []byte("\ufeff"))), `"`)
	rest, ok := strings.CutPrefix(text, key)
	if !ok {
		return "", false
	}
	before, value, ok := strings.Cut(rest, ":")
	if !ok || strings.Trim(before, "\" \t") != "" {
		return "", false
	}
	value, _, _ = strings.Cut(value, " #")
	value = strings.Trim(value, "\"' \t\r\n")
	return value, value != "" // an empty one is left to the parser
}

// isLocal says whether an object is the configuration of a tool and never sent to a cluster.
func isLocal(version, kind string) bool {
	group, _, grouped := strings.Cut(version, "/")
	if !grouped {
		return version == "v1" && kind == "Config" // a kubeconfig
	}
	return slices.Contains([]string{
		"backstage.io", "kind.x-k8s.io", "kubeadm.k8s.io", "kubelet.config.k8s.io", "kustomize.config.k8s.io", "mergegate", "skaffold",
	}, group)
}

// hasManifest says whether the file at a path, symlinks followed, holds an object. One that cannot
// be read is taken to.
func (g *graph) hasManifest(name string) bool {
	p := g.resolve(name)
	if p.kind != file || !isManifestName(name) {
		return false
	}
	id := g.tree.ID(p.path)
	if is, ok := g.manifest[id]; ok && id != "" {
		return is
	}
	data, err := g.tree.ReadFile(p.path)
	if err != nil {
		return true
	}
	g.manifest[id] = isManifest(data)
	return g.manifest[id]
}
