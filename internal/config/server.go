package config

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Server is what the settings of `mergegate serve` say, defaults filled in.
type Server struct {
	Listen        string // address of the HTTP server
	PublicURL     string // where people reach this server; empty: nothing links to it
	DataDir       string // mirrors and, without another database, the database
	Database      Secret // empty: SQLite in DataDir; else postgres://..., which may hold a password
	GitHub        GitHub
	SweepInterval time.Duration // between two comparisons of open pull requests with recorded plans
	Workers       int           // plans at the same time
	Render        Render
	Policy        PolicyLimits
	Clusters      Clusters
	Log           Log
}

// Clusters says which clusters are asked what a pull request would do to them.
type Clusters struct {
	Kubeconfig string // file whose contexts are the clusters, by the names that applications give them
	InCluster  string // name of the cluster that the server runs in, asked by its pod's service account
	// Refresh is after what time a plan's clusters are asked again, for as long as its pull request is
	// open. What they did not say is asked for again at every sweep.
	Refresh time.Duration
}

// GitHub is where the App is registered and how it proves who it is.
type GitHub struct {
	URL                string // of the web and git host
	APIURL             string // of the REST API, derived from URL where it is not given
	AppID              int64
	PrivateKey         Secret // PEM
	PrivateKeyFile     string // where PrivateKey is read from
	WebhookSecrets     []Secret
	WebhookSecretFiles []string      // what WebhookSecrets are read from, one secret per file
	WriteInterval      time.Duration // pace of requests that change something, in the long run; 0: no pace (Enterprise Servers without limits)
}

// Render is what one render may use.
type Render struct {
	Timeout   time.Duration
	MemoryMiB int // per worker
	OutputMiB int
	Workers   int // 0: one per core
}

// PolicyLimits is what one policy query may use.
type PolicyLimits struct {
	Timeout time.Duration
}

// Log is what is logged and how.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // json or text
}

// Secret is a value that no output shows. Convert it to a string to use it.
type Secret string

// String says whether there is a secret, and nothing else of it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// Format keeps the secret from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue keeps the secret from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps the secret from JSON and every other encoding of text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// setting is one key of the server's settings: its path in the file, the environment variable that
// overrides it and the field that holds its value.
type setting struct {
	key   string
	env   string
	field any // *string, *Secret, *[]string, *[]Secret, *int, *int64 or *time.Duration
}

// settings is every key there is.
func (s *Server) settings() []setting {
	return []setting{
		{"listen", "MERGEGATE_LISTEN", &s.Listen},
		{"publicURL", "MERGEGATE_PUBLIC_URL", &s.PublicURL},
		{"dataDir", "MERGEGATE_DATA_DIR", &s.DataDir},
		{"database", "MERGEGATE_DATABASE", &s.Database},
		{"github.url", "MERGEGATE_GITHUB_URL", &s.GitHub.URL},
		{"github.apiURL", "MERGEGATE_GITHUB_API_URL", &s.GitHub.APIURL},
		{"github.appID", "MERGEGATE_GITHUB_APP_ID", &s.GitHub.AppID},
		{"github.privateKey", "MERGEGATE_GITHUB_PRIVATE_KEY", &s.GitHub.PrivateKey},
		{"github.privateKeyFile", "MERGEGATE_GITHUB_PRIVATE_KEY_FILE", &s.GitHub.PrivateKeyFile},
		{"github.webhookSecrets", "MERGEGATE_GITHUB_WEBHOOK_SECRETS", &s.GitHub.WebhookSecrets},
		{"github.webhookSecretFiles", "MERGEGATE_GITHUB_WEBHOOK_SECRET_FILES", &s.GitHub.WebhookSecretFiles},
		{"github.writeInterval", "MERGEGATE_GITHUB_WRITE_INTERVAL", &s.GitHub.WriteInterval},
		{"sweepInterval", "MERGEGATE_SWEEP_INTERVAL", &s.SweepInterval},
		{"workers", "MERGEGATE_WORKERS", &s.Workers},
		{"render.timeout", "MERGEGATE_RENDER_TIMEOUT", &s.Render.Timeout},
		{"render.memoryMiB", "MERGEGATE_RENDER_MEMORY_MIB", &s.Render.MemoryMiB},
		{"render.outputMiB", "MERGEGATE_RENDER_OUTPUT_MIB", &s.Render.OutputMiB},
		{"render.workers", "MERGEGATE_RENDER_WORKERS", &s.Render.Workers},
		{"policy.timeout", "MERGEGATE_POLICY_TIMEOUT", &s.Policy.Timeout},
		{"clusters.kubeconfig", "MERGEGATE_CLUSTERS_KUBECONFIG", &s.Clusters.Kubeconfig},
		{"clusters.inCluster", "MERGEGATE_CLUSTERS_IN_CLUSTER", &s.Clusters.InCluster},
		{"clusters.refresh", "MERGEGATE_CLUSTERS_REFRESH", &s.Clusters.Refresh},
		{"log.level", "MERGEGATE_LOG_LEVEL", &s.Log.Level},
		{"log.format", "MERGEGATE_LOG_FORMAT", &s.Log.Format},
	}
}

// DefaultServer is what holds where neither file nor environment says otherwise.
func DefaultServer() Server {
	return Server{
		Listen:        ":8080",
		DataDir:       "/var/lib/mergegate",
		GitHub:        GitHub{URL: "https://github.com", WriteInterval: time.Second},
		SweepInterval: 5 * time.Minute,
		Workers:       2,
		Render:        Render{Timeout: 30 * time.Second, MemoryMiB: 1024, OutputMiB: 32},
		Policy:        PolicyLimits{Timeout: 5 * time.Second},
		Clusters:      Clusters{Refresh: 15 * time.Minute},
		Log:           Log{Level: "info", Format: "json"},
	}
}

// String is every setting as `key=value`, secrets masked.
func (s Server) String() string {
	var parts []string
	for _, set := range s.settings() {
		parts = append(parts, set.key+"="+show(set.field))
	}
	return strings.Join(parts, " ")
}

// GoString keeps the form of String also under %#v.
func (s Server) GoString() string { return s.String() }

// LogValue is every setting as an attribute, secrets masked.
func (s Server) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, set := range s.settings() {
		attrs = append(attrs, slog.String(set.key, show(set.field)))
	}
	return slog.GroupValue(attrs...)
}

// show prints a field's value.
func show(field any) string {
	switch f := field.(type) {
	case *string:
		return *f
	case *Secret:
		return f.String()
	case *[]string:
		return strings.Join(*f, ",")
	case *[]Secret:
		return fmt.Sprintf("(%d secrets)", len(*f))
	case *int:
		return fmt.Sprint(*f)
	case *int64:
		return fmt.Sprint(*f)
	case *time.Duration:
		return f.String()
	}
	return ""
}
