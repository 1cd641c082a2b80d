package github

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func TestManifest(t *testing.T) {
	file, err := os.Open("../../app.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var manifest struct {
		Name        string            `yaml:"name"`
		URL         string            `yaml:"url"`
		Description string            `yaml:"description"`
		Hook        map[string]any    `yaml:"hook_attributes"`
		Public      *bool             `yaml:"public"`
		Permissions map[string]string `yaml:"default_permissions"`
		Events      []string          `yaml:"default_events"`
	}
	strict := yaml.NewDecoder(file)
	strict.KnownFields(true)
	if err := strict.Decode(&manifest); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Permissions(), manifest.Permissions); diff != "" {
		t.Errorf("default_permissions (-used +app.yml):\n%s", diff)
	}
	if diff := cmp.Diff(Events(), manifest.Events); diff != "" {
		t.Errorf("default_events (-used +app.yml):\n%s", diff)
	}
	if manifest.Name == "" || manifest.URL == "" || manifest.Hook["url"] == "" || manifest.Hook["active"] != true || manifest.Public == nil || *manifest.Public {
		t.Errorf("app.yml lacks a field: %+v", manifest)
	}
}

func TestEventsAreHandledAndAllowed(t *testing.T) {
	for _, event := range Events() {
		if _, err := Parse(event, []byte("{")); errors.Is(err, ErrIgnored) {
			t.Errorf("subscribed to %s, but it is not handled", event)
		}
		need := subscriptions()[event]
		if got := Permissions()[need.permission]; got != need.level && got != "write" {
			t.Errorf("%s needs %s:%s, the App asks for %q", event, need.permission, need.level, got)
		}
	}
}
