package render

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mergegate/mergegate/internal/manifest"
)

// setter is the node of a kustomization's own fields that sets the field of the object, and the
// name of the key it stands under; nil without one.
func (k *kustomization) setter(s subject, pointer []string) (*yaml.Node, string) {
	if len(pointer) == 0 {
		return nil, ""
	}
	last := pointer[len(pointer)-1]
	joined := strings.Join(pointer, "/")
	switch {
	case last == "image":
		return k.image(plain(descend(s.content, pointer)))
	case joined == "spec/replicas":
		return k.replicas(s)
	case joined == "metadata/namespace" || strings.HasPrefix(joined, "subjects/") && last == "namespace":
		return k.keyed("namespace")
	case joined == "metadata/name":
		return k.affix(s)
	case len(pointer) > 1:
		return k.label(pointer[len(pointer)-2], last)
	}
	return nil, ""
}

// keyed is the key itself where the kustomization has a value for it.
func (k *kustomization) keyed(name string) (*yaml.Node, string) {
	if scalar(k.field(name)) == "" {
		return nil, ""
	}
	if key, _ := mapEntry(k.node, name); key != nil {
		return key, name
	}
	return nil, ""
}

func (k *kustomization) affix(s subject) (*yaml.Node, string) {
	if prefix := scalar(k.field("namePrefix")); prefix != "" && strings.Contains(s.name, prefix) {
		return k.keyed("namePrefix")
	}
	if suffix := scalar(k.field("nameSuffix")); suffix != "" && strings.Contains(s.name, suffix) {
		return k.keyed("nameSuffix")
	}
	return nil, ""
}

// image is the images entry that gave an image its name, tag or digest.
func (k *kustomization) image(rendered string) (*yaml.Node, string) {
	name, tag, digest := splitImage(rendered)
	for _, key := range []string{"images", "imageTags"} {
		for _, item := range slices.Backward(items(k.field(key))) {
			newName, newTag, newDigest := at(item, "newName"), at(item, "newTag"), at(item, "digest")
			want := scalar(newName)
			if want == "" {
				want = scalar(at(item, "name"))
			}
			if !matches(want, name) {
				continue
			}
			switch {
			case newDigest != nil && scalar(newDigest) == digest:
				return newDigest, key
			case newTag != nil && scalar(newTag) == tag:
				return newTag, key
			case newName != nil && newTag == nil && newDigest == nil:
				return newName, key
			}
		}
	}
	return nil, ""
}

// splitImage takes name:tag@digest apart; the port of a registry is not a tag.
func splitImage(image string) (name, tag, digest string) {
	name, digest, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name, tag = name[:i], name[i+1:]
	}
	return name, tag, digest
}

func (k *kustomization) replicas(s subject) (*yaml.Node, string) {
	for _, item := range slices.Backward(items(k.field("replicas"))) {
		if count := at(item, "count"); count != nil && slices.Contains(s.names(), scalar(at(item, "name"))) {
			return count, "replicas"
		}
	}
	return nil, ""
}

// label is the entry that sets a label, a selector's label or an annotation.
func (k *kustomization) label(parent, name string) (*yaml.Node, string) {
	switch parent {
	case "annotations":
		key, _ := mapEntry(k.field("commonAnnotations"), name)
		return key, "commonAnnotations"
	case "labels", "matchLabels", "selector":
		for _, item := range slices.Backward(items(k.field("labels"))) {
			if key, _ := mapEntry(at(item, "pairs"), name); key != nil {
				return key, "labels"
			}
		}
		key, _ := mapEntry(k.field("commonLabels"), name)
		return key, "commonLabels"
	}
	return nil, ""
}

// inGenerator is the place in a generator, or in a file that it reads, that set the field.
func (l *locator) inGenerator(k *kustomization, s subject, pointer []string) *manifest.Location {
	key := map[string]string{"ConfigMap": "configMapGenerator", "Secret": "secretGenerator"}[s.kind]
	if key == "" || s.group != "" {
		return nil
	}
	for _, item := range slices.Backward(items(k.field(key))) {
		if name := scalar(at(item, "name")); name == "" || !s.generatedAs(name) {
			continue
		}
		if len(pointer) == 2 && (pointer[0] == "data" || pointer[0] == "binaryData") {
			if at := l.datum(k, key, item, pointer[1]); at != nil {
				return at
			}
			if scalar(at(item, "behavior")) == "merge" {
				continue // another one has it
			}
		}
		return &manifest.Location{File: k.file, Line: item.Line, Via: key}
	}
	return nil
}

// generatedAs says whether the object can come from a generator of this name.
func (s subject) generatedAs(name string) bool {
	if s.origin != nil {
		return name == s.origin.name
	}
	return name == s.name || name == s.stem || strings.Contains(s.name, name)
}

// datum is where a generator takes one key of its data from.
func (l *locator) datum(k *kustomization, via string, item *yaml.Node, key string) *manifest.Location {
	for _, literal := range items(at(item, "literals")) {
		if name, _, _ := strings.Cut(scalar(literal), "="); name == key {
			return &manifest.Location{File: k.file, Line: literal.Line, Via: via}
		}
	}
	for _, n := range items(at(item, "files")) {
		name, file, named := strings.Cut(scalar(n), "=")
		if !named {
			name, file = path.Base(scalar(n)), scalar(n)
		}
		if name == key {
			return l.sourceLine(l.closure.ref(k, via, n, file), via, 1)
		}
	}
	for _, n := range append(items(at(item, "envs")), at(item, "env")) {
		ref := l.closure.ref(k, via, n, scalar(n))
		if line := l.envLine(ref.path, key); scalar(n) != "" && line > 0 {
			return l.sourceLine(ref, via, line)
		}
	}
	return nil
}

func (l *locator) sourceLine(ref entryRef, via string, line int) *manifest.Location {
	real, _, ok := readFile(l.view, ref.path)
	if !ok {
		return nil
	}
	return &manifest.Location{File: real, Line: line, Via: via}
}

// envLine is the line of an env file that sets a key, 0 when none does.
func (l *locator) envLine(file, key string) int {
	_, data, ok := readFile(l.view, file)
	if !ok {
		return 0
	}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		if name, _, _ := strings.Cut(strings.TrimSpace(line), "="); name == key {
			return number
		}
	}
	return 0
}
