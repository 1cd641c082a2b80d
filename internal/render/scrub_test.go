package render

import (
	"encoding/base64"
	"strings"
	"testing"
)

// TestNoSecretInErrors breaks applications in ways whose errors quote what they choke on.
func TestNoSecretInErrors(t *testing.T) {
	const secret = "hunter2-Tr0ub4dor"
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))
	secretFile := "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: " + secret + "}\n"
	cases := map[string]string{
		"malformed literal":         "-- app/kustomization.yaml --\nsecretGenerator:\n  - name: s\n    literals:\n      - " + secret + "\n",
		"env file of invalid UTF-8": "-- app/kustomization.yaml --\nsecretGenerator:\n  - name: s\n    envs: [x.env]\n-- app/x.env --\nK=" + secret + "\xff\xfe\n",
		"broken YAML":               "-- app/kustomization.yaml --\nresources: [s.yaml]\n-- app/s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: " + secret + "\n bad: [" + secret + "\n",
		"unknown anchor":            "-- app/kustomization.yaml --\nresources: [s.yaml]\n-- app/s.yaml --\nkind: Secret\nstringData:\n  password: *" + secret + "\n",
		"object without name":       "-- app/kustomization.yaml --\nresources: [s.yaml]\n-- app/s.yaml --\napiVersion: v1\nkind: Secret\nmetadata: {annotations: {a: " + secret + "}}\nstringData: {password: " + secret + "}\n",
		"inline patch":              "-- app/kustomization.yaml --\nresources: [s.yaml]\npatches:\n  - patch: |-\n      apiVersion: v1\n      kind: Secret\n      metadata: {name: other}\n      stringData: {password: " + secret + "}\n-- app/s.yaml --\n" + secretFile,
		"inline patch that is none": "-- app/kustomization.yaml --\nresources: [s.yaml]\npatches:\n  - target: {kind: Secret}\n    patch: |-\n      password: " + secret + "\n-- app/s.yaml --\n" + secretFile,
		"JSON patch":                "-- app/kustomization.yaml --\nresources: [s.yaml]\npatches:\n  - target: {kind: Secret}\n    patch: |-\n      - {op: test, path: /stringData/password, value: " + secret + "x}\n-- app/s.yaml --\n" + secretFile,
		"merge of a missing secret": "-- app/kustomization.yaml --\nsecretGenerator:\n  - name: s\n    behavior: merge\n    literals: [password=" + secret + "]\n",
		"patch with path and patch": "-- app/kustomization.yaml --\nresources: [s.yaml]\npatches:\n  - path: s.yaml\n    patch: 'stringData: {password: " + secret + "}'\n-- app/s.yaml --\n" + secretFile,
		"replacement":               "-- app/kustomization.yaml --\nresources: [s.yaml]\nreplacements:\n  - source: {kind: Secret, fieldPath: stringData.password.x}\n    targets: [{select: {kind: Secret}, fieldPaths: [stringData.other.y]}]\n-- app/s.yaml --\n" + secretFile,
		"entry that is the value":   "-- app/kustomization.yaml --\nresources: [s.yaml, " + secret + ".yaml]\n-- app/s.yaml --\n" + secretFile,
	}
	p := newPool(t, Config{})
	for name, files := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := p.Render(t.Context(), Request{Tree: tree(files), Path: "app", Type: TypeKustomize})
			if err == nil {
				t.Fatal("the application renders")
			}
			for _, form := range []string{secret, encoded, secret[:7] + "...", "104 117 110 116"} {
				if strings.Contains(err.Error(), form) {
					t.Errorf("the error quotes %q: %v", form, err)
				}
			}
			if !strings.HasPrefix(err.Error(), "app/") {
				t.Errorf("the error names no file: %v", err)
			}
			t.Log(err)
		})
	}
}

func TestNoSecretInErrorsOfPlainYAML(t *testing.T) {
	const secret = "hunter2-Tr0ub4dor"
	p := newPool(t, Config{})
	for name, text := range map[string]string{
		"broken YAML":   "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: " + secret + "\n bad: [\n",
		"duplicate key": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {" + secret + ": x, password: " + secret + ", " + secret + ": y}\n",
		"JSON":          `{"apiVersion": "v1", "kind": "Secret", "stringData": {"password": "` + secret + `",,}}`,
		"no name":       "apiVersion: v1\nkind: Secret\nstringData: {password: " + secret + "}\n",
	} {
		_, err := p.Render(t.Context(), Request{Tree: tree("-- a.yaml --\n" + text + "\n"), Path: ".", Type: TypeYAML, Files: []string{"a.yaml"}})
		if err == nil || strings.Contains(err.Error(), secret) || !strings.HasPrefix(err.Error(), "a.yaml:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScrub(t *testing.T) {
	s := &scrubber{values: map[string]struct{}{}}
	for _, value := range []string{"hunter2", "a", "42", "multi\nline value", "hunter2-long", "ÄÖ", "secret"} {
		s.add(value)
	}
	for text, want := range map[string]string{
		"got hunter2":              "got (secret)",
		"hunter2-long and hunter2": "(secret) and (secret)",
		"aHVudGVyMg== is encoded":  "(secret) is encoded",
		"a banana has 42 or 420":   "(secret) banana has (secret) or 420",
		"a, a":                     "(secret), (secret)",
		`"line value" of multi`:    `"(secret)" of (secret)`,
		`multi\nline value`:        `(secret)`,
		"ÄÖ":                       "(secret)",
		"the secret":               "the (secret)",
	} {
		if got := s.scrub(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
