package diff

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mergegate/mergegate/internal/manifest"
)

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func secret(t *testing.T, fields string) manifest.Object {
	t.Helper()
	return object(t, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},`+fields+`}`)
}

// other is an object that is no Secret.
func other(t *testing.T, fields string) manifest.Object {
	t.Helper()
	return object(t, `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},`+fields+`}`)
}

func TestMaskerSet(t *testing.T) {
	tests := map[string]struct {
		set  manifest.Set
		want string // what differs from an object without the fields, as JSON, one object a line
	}{
		"data and stringData": {
			manifest.Set{secret(t, `"type":"Opaque","immutable":true,"data":{"b":"`+encode("x")+`","a":"`+encode("y")+`"},"stringData":{"c":"x"}`)},
			`{"data":{"a":"(secret #0001)","b":"(secret #0002)"},"immutable":true,"stringData":{"c":"(secret #0002)"},"type":"Opaque"}`,
		},
		"malformed values": {
			manifest.Set{secret(t, `"data":{"a":5,"b":null,"c":{"x":"y"},"d":["z"],"e":"not base64!","f":true},"stringData":["q"]`)},
			`{"data":{"a":"(secret #0001)","b":"(secret #0002)","c":"(secret #0003)","d":"(secret #0004)","e":"(secret #0005)","f":"(secret #0006)"},"stringData":"(secret #0007)"}`,
		},
		"data is text": {manifest.Set{secret(t, `"data":"hunter"`)}, `{"data":"(secret #0001)"}`},
		"data is null": {manifest.Set{secret(t, `"data":null`)}, `{"data":null}`},
		"misspelt fields": {
			manifest.Set{secret(t, `"stringdata":{"a":"x"},"Data":{"a":"eA=="},"foo":"bar","binaryData":{"z":1}`)},
			`{"Data":{"a":"(secret #0001)"},"binaryData":{"z":"(secret #0002)"},"foo":"(secret #0003)","stringdata":{"a":"(secret #0001)"}}`,
		},
		"malformed and well-formed differ": {
			manifest.Set{secret(t, `"data":{"a":"not base64!","b":"`+encode("not base64!")+`"},"stringData":{"c":"5","d":5}`)},
			`{"data":{"a":"(secret #0001)","b":"(secret #0002)"},"stringData":{"c":"(secret #0003)","d":"(secret #0004)"}}`,
		},
		"last applied of anything": {
			manifest.Set{other(t, `"spec":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","x":"y"}}`)},
			`{"spec":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"(secret #0001)","x":"y"}}}`,
		},
		"nested Secret": {
			manifest.Set{other(t, `"spec":{"forProvider":{"manifest":{"apiVersion":"v1","kind":"Secret","metadata":{"name":"n"},"data":{"a":"eA=="}}},"items":[{"kind":"Secret","stringData":{"p":"x"}}]}`)},
			`{"spec":{"forProvider":{"manifest":{"apiVersion":"v1","data":{"a":"(secret #0001)"},"kind":"Secret","metadata":{"name":"n"}}},"items":[{"kind":"Secret","stringData":{"p":"(secret #0001)"}}]}}`,
		},
		"references stay": {
			manifest.Set{other(t, `"spec":{"valuesFrom":[{"kind":"Secret","name":"values","valuesKey":"x"}],"other":{"apiVersion":"example.com/v1","kind":"Secret","data":{"a":"b"}}}`)},
			`{"spec":{"other":{"apiVersion":"example.com/v1","data":{"a":"b"},"kind":"Secret"},"valuesFrom":[{"kind":"Secret","name":"values","valuesKey":"x"}]}}`,
		},
		"sealed secret": {
			manifest.Set{object(t, `{"apiVersion":"bitnami.com/v1alpha1","kind":"SealedSecret","metadata":{"name":"s"},"spec":{"encryptedData":{"a":"AgB"},"template":{"data":{"x":"plain"},"type":"Opaque"}}}`)},
			`{"spec":{"encryptedData":{"a":"AgB"},"template":{"data":{"x":"(secret #0001)"},"type":"Opaque"}}}`,
		},
		"external secret": {
			manifest.Set{object(t, `{"apiVersion":"external-secrets.io/v1","kind":"ExternalSecret","metadata":{"name":"s"},"spec":{"data":[{"secretKey":"k"}],"target":{"template":{"data":{"x":"pre {{ .k }}"}}}}}`)},
			`{"spec":{"data":[{"secretKey":"k"}],"target":{"template":{"data":{"x":"(secret #0001)"}}}}}`,
		},
		"a manifest in a text": {
			manifest.Set{other(t, `"data":{"yaml":"apiVersion: v1\nkind: Secret\nstringData: {a: b}\n","json":"{\"kind\":\"Secret\",\"data\":{}}","store":"kind: SecretStore\ndata: x","prose":"mounts the Secret data"}`)},
			`{"data":{"json":"(secret #0001)","prose":"mounts the Secret data","store":"kind: SecretStore\ndata: x","yaml":"(secret #0002)"}}`,
		},
		"a forged mask": {
			manifest.Set{secret(t, `"stringData":{"a":"x"}`), other(t, `"spec":{"a":"(secret #0001)","b":"x (hash #0001) y"}`)},
			`{"stringData":{"a":"(secret #0001)"}}` + "\n" + `{"spec":{"a":"(secret #0002)","b":"(secret #0003)"}}`,
		},
		"elsewhere, in every form": {
			manifest.Set{secret(t, `"data":{"dsn":"`+encode("p@ss \"word\"\n")+`"}`), other(t, `"spec":{"clear":"u:p@ss \"word\"@db","base64":"`+encode("p@ss \"word\"\n")+`","json":"{\"p\":\"p@ss \\\"word\\\"\"}","url":"db://u:p%40ss+%22word%22@h","other":"p@ss"}`)},
			`{"data":{"dsn":"(secret #0001)"}}` + "\n" + `{"spec":{"base64":"(secret #0002)","clear":"u:(secret #0003)@db","json":"{\"p\":\"(secret #0004)\"}","other":"p@ss","url":"db://u:(secret #0005)@h"}}`,
		},
		"equal values elsewhere are equal": {
			manifest.Set{secret(t, `"stringData":{"a":"correct horse"}`), other(t, `"spec":{"env":"correct horse","bare":12345678}`), object(t, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"t"},"stringData":{"n":"12345678"}}`)},
			`{"stringData":{"a":"(secret #0001)"}}` + "\n" + `{"spec":{"bare":"(secret #0003)","env":"(secret #0001)"}}` + "\n" + `{"stringData":{"n":"(secret #0002)"}}`,
		},
		"base64 of every alphabet and padding": {
			manifest.Set{secret(t, `"stringData":{"a":"??>>??>>a"}`), other(t, `"spec":{"std":"Pz8+Pj8/Pj5h","url":"Pz8-Pj8_Pj5h"}`), object(t, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"t"},"stringData":{"a":"hunter2222"},"type":"see aHVudGVyMjIyMg and aHVudGVyMjIyMg=="}`)},
			`{"stringData":{"a":"(secret #0001)"}}` + "\n" + `{"spec":{"std":"(secret #0005)","url":"(secret #0006)"}}` + "\n" + `{"stringData":{"a":"(secret #0002)"},"type":"see (secret #0003) and (secret #0004)"}`,
		},
		"long values": {
			manifest.Set{secret(t, `"stringData":{"a":"`+strings.Repeat("0123456789", 20)+`"}`), other(t, `"spec":{"a":"`+strings.Repeat("0123456789", 20)+`","b":"in `+strings.Repeat("0123456789", 20)+` here","c":"012345678901234567890"}`)},
			`{"stringData":{"a":"(secret #0001)"}}` + "\n" + `{"spec":{"a":"(secret #0001)","b":"(secret #0002)","c":"012345678901234567890"}}`,
		},
		"vocabulary and short values stay": {
			manifest.Set{secret(t, `"stringData":{"username":"postgres","type":"username","port":"5432","pw":"nginxinc"}`), other(t, `"spec":{"name":"postgres","port":"5432","args":["postgres -p 5432","username"],"image":"nginxinc/nginx:1"}`), object(t, `{"apiVersion":"v1","kind":"Service","metadata":{"name":"my-postgres"},"spec":{}}`)},
			`{"stringData":{"port":"(secret #0001)","pw":"(secret #0002)","type":"(secret #0003)","username":"(secret #0004)"}}` + "\n" + `{"spec":{"args":["postgres -p 5432","username"],"image":"nginxinc/nginx:1","name":"postgres","port":"5432"}}` + "\n" + `{"spec":{}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before := show(t, test.set)
			masked := NewMasker().Set(slices.Clone(test.set))
			var got []string
			for _, want := range test.set {
				for _, o := range masked {
					if o.ID == want.ID {
						fields := maps.Clone(o.Content)
						delete(fields, "apiVersion")
						delete(fields, "kind")
						delete(fields, "metadata")
						got = append(got, show(t, fields))
					}
				}
			}
			if d := cmp.Diff(test.want, strings.Join(got, "\n")); d != "" {
				t.Errorf("masked (-want +got):\n%s", d)
			}
			if show(t, test.set) != before {
				t.Error("the set itself was modified")
			}
		})
	}
}

// TestMaskerTime masks what makes a naive search slow: it would take minutes.
func TestMaskerTime(t *testing.T) {
	data := map[string]any{}
	for i := range 500 {
		data[fmt.Sprint("k", i)] = strings.Repeat("a", 8+i) + "b"
	}
	long := strings.Repeat("a", 1<<18)
	data["long"] = long + "b"
	set := manifest.Set{
		{ID: manifest.ID{Version: "v1", Kind: "ConfigMap", Name: "c"}, Content: map[string]any{"data": map[string]any{"x": long}}},
		{ID: manifest.ID{Version: "v1", Kind: "Secret", Name: "s"}, Content: map[string]any{"stringData": data}},
	}
	started := time.Now()
	NewMasker().Set(set)
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("masking took %v", took)
	}
}

func TestMaskerGeneratedNames(t *testing.T) {
	secretOf := func(hash, value string) manifest.Object {
		return object(t, fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"db-%s"},"stringData":{"p":%q}}`, hash, value), "db")
	}
	web := func(hash string) manifest.Object {
		return other(t, fmt.Sprintf(`"spec":{"secretName":"db-%s","args":["--file=/etc/db-%s/p"]}`, hash, hash))
	}
	m := NewMasker()
	base := m.Set(manifest.Set{secretOf("abc1234567", "one"), web("abc1234567")})
	head := m.Set(manifest.Set{secretOf("xyz1234567", "two"), web("xyz1234567")})
	changes := Sets(base, head)
	if d := cmp.Diff("update /Secret//db /stringData/p\nupdate apps/Deployment//web /spec/args/0 /spec/secretName", summary(changes)); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	field := changes[1].Fields[0]
	if field.Before != "--file=/etc/db-(hash #0001)/p" || field.After != "--file=/etc/db-(hash #0002)/p" || !field.Sensitive {
		t.Errorf("field %+v", field)
	}
	if text := show(t, changes); strings.Contains(text, "1234567") {
		t.Errorf("a content hash shows: %s", text)
	}
	if got := m.Text("Secret db-xyz1234567 is not used"); got != "Secret db-(hash #0002) is not used" {
		t.Errorf("text %q", got)
	}
	if got := Sets(nil, head)[0].Object.Name; got != "db" {
		t.Errorf("created as %q", got)
	}
}

func TestMaskerGeneratedConfigMapWithSecret(t *testing.T) {
	set := manifest.Set{
		configMap(t, "plain-aaaaaaaaaa", "x", "plain"),
		configMap(t, "cfg-bbbbbbbbbb", "password=correct horse", "cfg"),
		secret(t, `"stringData":{"a":"correct horse"}`),
		other(t, `"spec":{"a":"cfg-bbbbbbbbbb","b":"plain-aaaaaaaaaa"}`),
	}
	text := show(t, NewMasker().Set(set))
	if strings.Contains(text, "bbbb") || !strings.Contains(text, "plain-aaaaaaaaaa") || !strings.Contains(text, "cfg-(hash #0001)") {
		t.Errorf("masked %s", text)
	}
}

func TestMaskerLearnsBothSides(t *testing.T) {
	base := manifest.Set{other(t, `"spec":{"password":"correct horse"}`)}
	head := manifest.Set{other(t, `"spec":{}`), secret(t, `"stringData":{"password":"correct horse"}`)}
	m := NewMasker()
	m.Learn(base, head)
	if text := show(t, Sets(m.Set(base), m.Set(head))); strings.Contains(text, "correct") {
		t.Errorf("a value that is secret at head shows at base: %s", text)
	}
}

func TestMaskerText(t *testing.T) {
	m := NewMasker()
	m.Set(manifest.Set{secret(t, `"stringData":{"a":"correct horse","b":"short"}`)})
	got := m.Text(`invalid value "correct horse" (` + encode("correct horse") + `) short (secret #0001)`)
	if want := `invalid value "(secret #0001)" ((secret #0003)) short (secret #0001)`; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
}

func TestFingerprints(t *testing.T) {
	prints := func(value, key string) map[string]string {
		m := NewMasker()
		m.Set(manifest.Set{object(t, fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s-1111111111"},"stringData":{"a":%q}}`, value), "s")})
		return m.Fingerprints([]byte(key))
	}
	one := prints("x", "key")
	if got := slices.Sorted(maps.Keys(one)); !slices.Equal(got, []string{"(hash #0001)", "(secret #0001)"}) {
		t.Errorf("fingerprints of %v", got)
	}
	if d := cmp.Diff(one, prints("x", "key")); d != "" {
		t.Errorf("not stable: %s", d)
	}
	for name, other := range map[string]map[string]string{"value": prints("y", "key"), "key": prints("x", "other")} {
		if other["(secret #0001)"] == one["(secret #0001)"] {
			t.Errorf("another %s has the same fingerprint", name)
		}
	}
	if got := prints("x", ""); got != nil {
		t.Errorf("fingerprints without a key: %v", got)
	}
}

func TestSensitiveFields(t *testing.T) {
	m := NewMasker()
	base := m.Set(manifest.Set{secret(t, `"type":"a","stringData":{"a":"1","b":"2"}`)})
	head := m.Set(manifest.Set{secret(t, `"type":"b","stringData":{"a":"3","b":"2","c":"1"}`)})
	var got []string
	for _, f := range Sets(base, head)[0].Fields {
		got = append(got, fmt.Sprint(f.Path, " ", f.Before, " ", f.After, " ", f.Sensitive))
	}
	want := []string{"/stringData/a (secret #0001) (secret #0003) true", "/stringData/c <nil> (secret #0001) true", "/type a b false"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("fields (-want +got):\n%s", d)
	}
}

// FuzzNoSecretShows hides a value in every place that is masked and looks for it in the plan.
func FuzzNoSecretShows(f *testing.F) {
	for _, value := range []string{"correct horse battery", "hunter2222", "\x00\x01\x02\x03\x04\x05\x06\x07\x08", "line one\nline two\n", "pässwörter", "日本日本日本", `quote"and\slash`, "<&>html<&>", "a\tb\r\nc\r\nd", "%41%42%43", "=========", "\u2028\u2028\u2028", "-----BEGIN KEY-----\nMIIE\n"} {
		f.Add(value, value+"2")
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		m := NewMasker()
		base, head := planted(t, before), planted(t, after)
		m.Learn(base, head)
		changes := Sets(m.Set(base), m.Set(head))
		shown := show(t, changes) + m.Text("error: "+before)
		// What a plan without any secret shows anyway cannot be hidden.
		anyway := show(t, Sets(NewMasker().Set(planted(t, "∅")), NewMasker().Set(planted(t, "∅∅")))) + "(secret #0123456789) error"
		for _, value := range []string{before, after} {
			for _, form := range []string{value, strings.TrimSpace(value), encode(value), jsonText(t, value)} {
				if len(strings.TrimSpace(value)) >= minPattern && !strings.Contains(anyway, form) && strings.Contains(shown, form) {
					t.Errorf("%q shows as %q in\n%s", value, form, shown)
				}
			}
		}
		if before != after && strings.ToValidUTF8(before, "?") != strings.ToValidUTF8(after, "?") && len(changes) == 0 {
			t.Errorf("the change of %q to %q does not show", before, after)
		}
	})
}

func jsonText(t *testing.T, value string) string {
	text := show(t, value)
	return text[1 : len(text)-1]
}

// planted is a set with a value in many places.
func planted(t *testing.T, value string) manifest.Set {
	t.Helper()
	text := strings.ToValidUTF8(value, "?") // what JSON can hold
	quoted := show(t, text)
	set := manifest.Set{
		secret(t, `"data":{"k":"`+encode(value)+`"},"stringData":{"k":`+quoted+`,"n":{"x":`+quoted+`}},"misspelt":`+quoted),
		other(t, `"spec":{"env":`+quoted+`,"b64":"`+encode(value)+`","dsn":`+show(t, "db://u:"+text+"@host")+`,"list":[`+quoted+`]}`),
		object(t, `{"apiVersion":"example.com/v1","kind":"Object","metadata":{"name":"o","annotations":{"`+lastApplied+`":`+show(t, `{"data":`+quoted+`}`)+`}},"spec":{"manifest":{"apiVersion":"v1","kind":"Secret","data":{"k":"`+encode(value)+`"}}}}`),
	}
	set.Sort()
	return set
}

func TestMaskingIsDeterministic(t *testing.T) {
	for seed := range uint64(60) {
		run := func() string {
			g := newGenerator(seed)
			set := manifest.Set{}
			for i := range 6 {
				content := g.object(4)
				content["kind"] = g.pick("Secret", "ConfigMap")
				content["stringData"] = g.object(1)
				content["metadata"] = map[string]any{"name": fmt.Sprint("o", i)}
				set = append(set, manifest.Object{ID: manifest.ID{Kind: content["kind"].(string), Version: "v1", Name: fmt.Sprint("o", i)}, Content: content})
			}
			set.Sort()
			m := NewMasker()
			return show(t, Sets(m.Set(set[:3]), m.Set(set)))
		}
		if a, b := run(), run(); a != b {
			t.Fatalf("seed %d: two runs differ\n%s\n%s", seed, a, b)
		}
	}
}

func BenchmarkMaskerSet(b *testing.B) {
	var set manifest.Set
	for i := range 2500 {
		set = append(set, deployment(i))
	}
	for i := range 200 {
		data := map[string]any{"password": encode(fmt.Sprintf("password number %d", i)), "dsn": encode(fmt.Sprintf("postgres://user:%d@host", i))}
		set = append(set, manifest.Object{ID: manifest.ID{Version: "v1", Kind: "Secret", Name: fmt.Sprint(i)}, Content: map[string]any{"kind": "Secret", "apiVersion": "v1", "data": data}})
	}
	b.Run("secrets", func(b *testing.B) {
		for b.Loop() {
			NewMasker().Set(set)
		}
	})
	b.Run("none", func(b *testing.B) {
		for b.Loop() {
			NewMasker().Set(set[:2500])
		}
	})
}

var _ json.Marshaler = null{}
