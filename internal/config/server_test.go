package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

const minimal = "github: {appID: 7, privateKeyFile: key.pem, webhookSecrets: [s3cret]}\n"

func TestParseServerDefaults(t *testing.T) {
	got, err := ParseServer("server.yaml", []byte(minimal), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	want := Server{
		Listen: ":8080", DataDir: "/var/lib/mergegate", SweepInterval: 5 * time.Minute, Workers: 2,
		GitHub: GitHub{
			URL: "https://github.com", APIURL: "https://api.github.com", AppID: 7,
			PrivateKeyFile: "key.pem", WebhookSecrets: []Secret{"s3cret"}, WriteInterval: time.Second,
		},
		Render:   Render{Timeout: 30 * time.Second, MemoryMiB: 1024, OutputMiB: 32},
		Policy:   PolicyLimits{Timeout: 5 * time.Second},
		Clusters: Clusters{Refresh: 15 * time.Minute},
		Log:      Log{Level: "info", Format: "json"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseServerOverrides(t *testing.T) {
	file := `listen: 127.0.0.1:1
publicURL: https://mergegate.example.com/
dataDir: /data
database: postgres://u:pw@db/mergegate
github:
  url: http://127.0.0.1:9000/
  writeInterval: 2s
  appID: 1
  privateKey: |
    -----BEGIN
  webhookSecrets: [one, two]
render: {timeout: 10s, memoryMiB: 1, outputMiB: 2, workers: 3}
policy: {timeout: 1s}
clusters: {kubeconfig: clusters.yaml, inCluster: here}
log: {level: debug, format: text}
sweepInterval: 1h
workers: 9
`
	got, err := ParseServer("server.yaml", []byte(file), environment(map[string]string{
		"MERGEGATE_LISTEN":                 ":2",
		"MERGEGATE_GITHUB_APP_ID":          "22",
		"MERGEGATE_GITHUB_WEBHOOK_SECRETS": "three, four",
		"MERGEGATE_RENDER_TIMEOUT":         "1m",
		"MERGEGATE_WORKERS":                "4",
		"MERGEGATE_CLUSTERS_REFRESH":       "3m",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := Server{
		Listen: ":2", PublicURL: "https://mergegate.example.com", DataDir: "/data", Database: "postgres://u:pw@db/mergegate",
		GitHub: GitHub{
			URL: "http://127.0.0.1:9000", APIURL: "http://127.0.0.1:9000/api/v3", AppID: 22,
			PrivateKey: "-----BEGIN\n", WebhookSecrets: []Secret{"three", "four"}, WriteInterval: 2 * time.Second,
		},
		SweepInterval: time.Hour, Workers: 4,
		Render:   Render{Timeout: time.Minute, MemoryMiB: 1, OutputMiB: 2, Workers: 3},
		Policy:   PolicyLimits{Timeout: time.Second},
		Clusters: Clusters{Kubeconfig: "clusters.yaml", InCluster: "here", Refresh: 3 * time.Minute},
		Log:      Log{Level: "debug", Format: "text"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseServerErrors(t *testing.T) {
	tests := map[string]struct {
		file string
		env  map[string]string
		want string
	}{
		"nothing": {"", nil, `server.yaml: github.appID: must be the App's id, a positive number; it stands on the App's settings page
server.yaml: github.privateKeyFile: is missing: name the PEM file of the App's private key
server.yaml: github.webhookSecrets: is missing: without a secret anybody could send webhooks; set it here and on the App's settings page`},
		"unknown key":   {minimal + "worker: 1\n", nil, `server.yaml:2: worker: unknown key, did you mean "workers"?`},
		"nested key":    {minimal + "render: {memory: 1}\n", nil, `server.yaml:2: render.memory: unknown key, did you mean "memoryMiB"?`},
		"wrong type":    {minimal + "workers: two\n", nil, `server.yaml:2: workers: want a whole number, this is a string`},
		"variable":      {minimal, map[string]string{"MERGEGATE_WORKERS": "two"}, `environment: MERGEGATE_WORKERS: "two" is no whole number`},
		"no duration":   {minimal + "sweepInterval: 5\n", nil, `server.yaml:2: sweepInterval: "5" is no duration, write one with its unit such as 30s or 5m`},
		"negative":      {minimal + "policy: {timeout: -1s}\nrender: {workers: -1}\n", nil, "server.yaml:2: policy.timeout: must be longer than 0, is -1s\nserver.yaml:3: render.workers: must be at least 0, is -1"},
		"refresh":       {minimal + "clusters: {refresh: 0s}\n", nil, "server.yaml:2: clusters.refresh: must be longer than 0, is 0s"},
		"values":        {minimal + "listen: nowhere\nlog: {level: loud, format: xml}\n", nil, "server.yaml:2: listen: \"nowhere\" is no address, write HOST:PORT or :PORT\nserver.yaml:3: log.level: \"loud\" is not one of debug, info, warn, error\nserver.yaml:3: log.format: \"xml\" is not one of json, text"},
		"database":      {minimal + "database: mysql://u:hunter2@db/x\n", nil, "server.yaml:2: database: is no postgres://USER@HOST/NAME URL; leave it empty for SQLite in dataDir"},
		"clear text":    {minimal, map[string]string{"MERGEGATE_GITHUB_URL": "http://github.example.com"}, `environment: MERGEGATE_GITHUB_URL: "http://github.example.com" would send tokens in clear, write https://`},
		"two keys":      {minimal, map[string]string{"MERGEGATE_GITHUB_PRIVATE_KEY": "hunter2"}, "server.yaml:1: github.privateKeyFile: is given together with github.privateKey: keep one of them"},
		"empty secret":  {"github: {appID: 7, privateKeyFile: key.pem, webhookSecrets: ['']}\n", nil, "server.yaml:1: github.webhookSecrets: has an empty secret, which would accept webhooks of anybody"},
		"user in URL":   {minimal + "publicURL: https://u:hunter2@h\n", nil, "server.yaml:2: publicURL: must have no user, query or fragment"},
		"duplicate key": {minimal + "github: {}\n", nil, "server.yaml:2: github: the key is given twice, first in line 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseServer("server.yaml", []byte(tt.file), environment(tt.env))
			if err == nil {
				t.Fatalf("no error, got %v", got)
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestDatabase(t *testing.T) {
	for text, want := range map[string]bool{
		"postgres://u:pw@db/mergegate":                   true,
		"postgresql://db:5433/mergegate?sslmode=require": true,
		"postgres:///mergegate?host=/var/run/postgresql": true,
		"postgres://u@/mergegate?host=/var/run/postgres": true,
		"postgres:///mergegate":                          false,
		"mysql://db/mergegate?host=/var/run/mysqld":      false,
		"mergegate.db": false,
	} {
		if got := isPostgres(text); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
}

func TestAPIURL(t *testing.T) {
	for web, want := range map[string]string{
		"https://github.com":         "https://api.github.com",
		"https://acme.ghe.com":       "https://api.acme.ghe.com",
		"https://github.example.com": "https://github.example.com/api/v3",
		"http://localhost:8080":      "http://localhost:8080/api/v3",
	} {
		if got := apiURL(web); got != want {
			t.Errorf("%s: got %s, want %s", web, got, want)
		}
	}
}

func TestServerNeverShowsSecrets(t *testing.T) {
	s := DefaultServer()
	s.Database = "postgres://u:hunter2@db/x"
	s.GitHub.PrivateKey = "hunter2"
	s.GitHub.WebhookSecrets = []Secret{"hunter2"}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("start", "server", s, "github", s.GitHub, "secret", s.Database)
	encoded, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		logged.String(), string(encoded), s.String(), fmt.Sprintf("%v %+v %#v %s", s, s, s, s),
		fmt.Sprintf("%v %+v %#v", s.GitHub, s.GitHub, s.GitHub), fmt.Sprintf("%x %d", s.Database, s.GitHub.WebhookSecrets),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e746572") {
			t.Errorf("shows a secret: %s", text)
		}
	}
	if !strings.Contains(s.String(), "listen=:8080") || !strings.Contains(s.String(), "database=(secret)") {
		t.Errorf("settings do not show: %s", s)
	}
}

func TestSettingsNameTheirVariables(t *testing.T) {
	boundary := regexp.MustCompile(`([a-z])([A-Z])`)
	s := DefaultServer()
	for _, set := range s.settings() {
		snake := strings.NewReplacer("MiB", "Mib", ".", "_").Replace(set.key)
		want := "MERGEGATE_" + strings.ToUpper(boundary.ReplaceAllString(snake, "${1}_${2}"))
		if set.env != want {
			t.Errorf("%s: variable %s, want %s", set.key, set.env, want)
		}
		before := show(set.field)
		if err := parse(set.field, "7s"); err != nil {
			if err = parse(set.field, "77"); err != nil {
				t.Errorf("%s: %v", set.key, err)
			}
		}
		if show(set.field) == before {
			t.Errorf("%s does not show its value", set.key)
		}
	}
}

func TestReadSecrets(t *testing.T) {
	files := map[string]string{"key.pem": "PEM\n", "a": "one\n", "empty": "\n"}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, os.ErrNotExist
	}
	s := Server{GitHub: GitHub{PrivateKeyFile: "key.pem", WebhookSecrets: []Secret{"zero"}, WebhookSecretFiles: []string{"a"}}}
	got, err := s.ReadSecrets(read)
	if err != nil {
		t.Fatal(err)
	}
	if got.GitHub.PrivateKey != "PEM" || !cmp.Equal(got.GitHub.WebhookSecrets, []Secret{"zero", "one"}) {
		t.Errorf("got %q, %q", string(got.GitHub.PrivateKey), got.GitHub.WebhookSecrets)
	}
	s.GitHub.WebhookSecretFiles = []string{"empty", "missing"}
	_, err = s.ReadSecrets(read)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "empty is empty") {
		t.Errorf("got %v", err)
	}
}
