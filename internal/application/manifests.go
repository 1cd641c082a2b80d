package application

import (
	"bytes"
	"path"
	"slices"
	"strings"
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
// apiVersion and kind. One that cannot be parsed but has the words is taken for one: what is wrong
// with it is said where it is rendered.
func isManifest(data []byte) bool {
	if !bytes.Contains(data, []byte("apiVersion")) || !bytes.Contains(data, []byte("kind")) {
		return false
	}
	found, decided := scanLines(data)
	if found || decided {
		return found
	}
	if len(data) > maxDocument {
		return true
	}
	roots, err := decodeAll(data)
	for _, root := range roots {
		versions, kinds := texts(root, "apiVersion"), texts(root, "kind")
		if len(versions) > 0 && len(kinds) > 0 && !isLocal(versions[0], kinds[0]) {
			return true
		}
	}
	return err != nil
}

// scanLines looks for the keys at the start of lines, as they stand in nearly every manifest. It is
// decided when it has met both in a document, be that an object or not.
func scanLines(data []byte) (found, decided bool) {
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
		if version == "" || kind == "" {
			continue
		}
		if !isLocal(version, kind) {
			return true, true
		}
		version, kind, decided = "", "", true
	}
	return false, decided
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
	return strings.Trim(value, "\"' \t\r\n") + " ", true // never empty: the key is there
}

// isLocal says whether an object is the configuration of a tool and never sent to a cluster.
func isLocal(version, kind string) bool {
	version, kind = strings.TrimSpace(version), strings.TrimSpace(kind)
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
	data, err := g.tree.ReadFile(p.path)
	return err != nil || isManifest(data)
}
