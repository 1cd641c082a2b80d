package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// ParseServer reads the server's settings: defaults, then the file, then the environment, whose
// variables are the keys in upper snake case after MERGEGATE_ (github.appID is
// MERGEGATE_GITHUB_APP_ID; lists are separated by commas). An empty variable is as good as none.
// Errors name the file as name and are [Problem] values, all of them joined. Files that hold secrets
// are not read here, see [Server.ReadSecrets].
func ParseServer(name string, data []byte, getenv func(string) string) (Server, error) {
	s := DefaultServer()
	p := &serverParser{decoder: decoder{file: name}, server: &s, origin: map[string]Problem{}, unread: map[string]bool{}}
	if root, ok := p.parse(data); ok {
		p.file(root)
	}
	p.environment(getenv)
	p.validate()
	if err := join(name, p.problems); err != nil {
		return Server{}, err
	}
	return s, nil
}

// ReadSecrets reads the private key and the webhook secrets that stand in files of their own and
// returns the settings with them.
func (s Server) ReadSecrets(readFile func(name string) ([]byte, error)) (Server, error) {
	var errs []error
	read := func(key, name string) Secret {
		data, err := readFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s: %w", key, err))
		}
		secret := Secret(strings.TrimSpace(string(data)))
		if err == nil && secret == "" {
			errs = append(errs, fmt.Errorf("read %s: %s is empty", key, name))
		}
		return secret
	}
	if name := s.GitHub.PrivateKeyFile; name != "" {
		s.GitHub.PrivateKey = read("github.privateKeyFile", name)
	}
	secrets := slices.Clone(s.GitHub.WebhookSecrets)
	for _, name := range s.GitHub.WebhookSecretFiles {
		secrets = append(secrets, read("github.webhookSecretFiles", name))
	}
	s.GitHub.WebhookSecrets = secrets
	if err := errors.Join(errs...); err != nil {
		return Server{}, err
	}
	return s, nil
}

// serverParser fills in settings and remembers where each is from.
type serverParser struct {
	decoder
	server *Server
	origin map[string]Problem // by key: file, line and key as a problem with its value names them
	unread map[string]bool    // keys whose value could not be read, which is problem enough
}

// file reads the keys of the file.
func (p *serverParser) file(root value) {
	fields := map[string]func(value){}
	groups := map[string]map[string]func(value){}
	for _, set := range p.server.settings() {
		decode := func(v value) {
			before := len(p.problems)
			p.set(v, set)
			p.unread[set.key] = len(p.problems) > before
		}
		group, name, nested := strings.Cut(set.key, ".")
		if !nested {
			fields[set.key] = decode
			continue
		}
		if groups[group] == nil {
			groups[group] = map[string]func(value){}
			fields[group] = func(v value) { p.fields(v, groups[group]) }
		}
		groups[group][name] = decode
	}
	p.fields(root, fields)
}

// set stores the value of one key of the file.
func (p *serverParser) set(v value, set setting) {
	p.origin[set.key] = Problem{File: p.decoder.file, Line: v.Line, Key: set.key}
	switch f := set.field.(type) {
	case *[]string:
		*f = p.texts(v)
		return
	case *[]Secret:
		*f = secrets(p.secretTexts(v))
		return
	case *Secret:
		if p.is(v, yaml.ScalarNode, "a string") {
			*f = Secret(v.Value)
		}
		return
	case *string:
		*f = p.text(v)
		return
	case *int, *int64:
		if v.Kind == yaml.ScalarNode && v.ShortTag() != "!!int" {
			p.fail(v, "want a whole number, this is %s", kindOf(v.Node))
			return
		}
	}
	if !p.is(v, yaml.ScalarNode, "a single value") {
		return
	}
	if err := parse(set.field, v.Value); err != nil {
		p.fail(v, "%v", err)
	}
}

// secretTexts is texts for values that no problem may quote.
func (p *serverParser) secretTexts(v value) []string {
	var list []string
	p.sequence(v, func(item value) {
		if p.is(item, yaml.ScalarNode, "a string") {
			list = append(list, item.Value)
		}
	})
	return list
}

// environment overrides settings from variables.
func (p *serverParser) environment(getenv func(string) string) {
	for _, set := range p.server.settings() {
		text := getenv(set.env)
		if text == "" {
			continue
		}
		origin := Problem{File: "environment", Key: set.env}
		p.origin[set.key] = origin
		if err := parse(set.field, text); err != nil {
			origin.Text = err.Error()
			p.unread[set.key] = true
			p.problems = append(p.problems, origin)
		}
	}
}

// parse stores a text in a field.
func parse(field any, text string) error {
	var err error
	switch f := field.(type) {
	case *string:
		*f = text
	case *Secret:
		*f = Secret(text)
	case *[]string:
		*f = list(text)
	case *[]Secret:
		*f = secrets(list(text))
	case *int:
		*f, err = strconv.Atoi(text)
	case *int64:
		*f, err = strconv.ParseInt(text, 10, 64)
	case *time.Duration:
		if *f, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("%q is no duration, write one with its unit such as 30s or 5m", text)
		}
	}
	if err != nil {
		return fmt.Errorf("%q is no whole number", text)
	}
	return nil
}

// list splits at commas.
func list(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

func secrets(texts []string) []Secret {
	var all []Secret
	for _, text := range texts {
		all = append(all, Secret(text))
	}
	return all
}

// wrong notes a problem with the value of a key, at the place that set it.
func (p *serverParser) wrong(key, format string, args ...any) {
	problem, ok := p.origin[key]
	if !ok {
		problem = Problem{File: p.decoder.file, Key: key}
	}
	if p.unread[key] {
		return
	}
	problem.Text = fmt.Sprintf(format, args...)
	p.problems = append(p.problems, problem)
}

// validate checks what is set and derives what is not.
func (p *serverParser) validate() {
	s := p.server
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		p.wrong("listen", "%q is no address, write HOST:PORT or :PORT", s.Listen)
	}
	if s.PublicURL != "" {
		s.PublicURL = p.url("publicURL", s.PublicURL)
	}
	if s.DataDir == "" {
		p.wrong("dataDir", "is empty: name a directory that mergegate may write to")
	}
	if s.Database != "" && !isPostgres(string(s.Database)) {
		p.wrong("database", "is no postgres://USER@HOST/NAME URL; leave it empty for SQLite in dataDir")
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, s.Log.Level) {
		p.wrong("log.level", "%q is not one of debug, info, warn, error", s.Log.Level)
	}
	if !slices.Contains([]string{"json", "text"}, s.Log.Format) {
		p.wrong("log.format", "%q is not one of json, text", s.Log.Format)
	}
	p.validateGitHub()
	p.validateLimits()
}

// isPostgres says whether a text is the URL of a PostgreSQL database: on a host, or on a socket of
// this machine, whose directory libpq and its kin take as the parameter host.
func isPostgres(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Host != "" || u.Query().Get("host") != "") && slices.Contains([]string{"postgres", "postgresql"}, u.Scheme)
}

func (p *serverParser) validateGitHub() {
	g := &p.server.GitHub
	g.URL = p.url("github.url", g.URL)
	if g.APIURL == "" {
		g.APIURL = apiURL(g.URL)
	} else {
		g.APIURL = p.url("github.apiURL", g.APIURL)
	}
	if g.AppID <= 0 {
		p.wrong("github.appID", "must be the App's id, a positive number; it stands on the App's settings page")
	}
	switch {
	case g.PrivateKey == "" && g.PrivateKeyFile == "":
		p.wrong("github.privateKeyFile", "is missing: name the PEM file of the App's private key")
	case g.PrivateKey != "" && g.PrivateKeyFile != "":
		p.wrong("github.privateKeyFile", "is given together with github.privateKey: keep one of them")
	}
	if len(g.WebhookSecrets)+len(g.WebhookSecretFiles) == 0 {
		p.wrong("github.webhookSecrets", "is missing: without a secret anybody could send webhooks; set it here and on the App's settings page")
	}
	for _, secret := range g.WebhookSecrets {
		if strings.TrimSpace(string(secret)) == "" {
			p.wrong("github.webhookSecrets", "has an empty secret, which would accept webhooks of anybody")
		}
	}
}

func (p *serverParser) validateLimits() {
	s := p.server
	p.longer("sweepInterval", s.SweepInterval)
	p.longer("render.timeout", s.Render.Timeout)
	p.longer("policy.timeout", s.Policy.Timeout)
	p.longer("clusters.refresh", s.Clusters.Refresh)
	p.atLeast("workers", 1, s.Workers)
	p.atLeast("render.memoryMiB", 1, s.Render.MemoryMiB)
	p.atLeast("render.outputMiB", 1, s.Render.OutputMiB)
	p.atLeast("render.workers", 0, s.Render.Workers)
}

func (p *serverParser) longer(key string, d time.Duration) {
	if d <= 0 {
		p.wrong(key, "must be longer than 0, is %s", d)
	}
}

func (p *serverParser) atLeast(key string, least, n int) {
	if n < least {
		p.wrong(key, "must be at least %d, is %d", least, n)
	}
}

// url checks the URL of a server and returns it without a slash at its end. Credentials pass through
// such URLs: only a server on this machine may be spoken to without TLS.
func (p *serverParser) url(key, text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Scheme != "https" && u.Scheme != "http":
		p.wrong(key, "is no URL, write https://HOST")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		p.wrong(key, "must have no user, query or fragment")
	case u.Scheme == "http" && key != "publicURL" && !loopback(u.Hostname()):
		p.wrong(key, "%q would send tokens in clear, write https://", text)
	}
	return strings.TrimRight(text, "/")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// apiURL is where the REST API of a GitHub host is.
func apiURL(web string) string {
	u, err := url.Parse(web)
	switch {
	case err != nil:
		return ""
	case strings.EqualFold(u.Host, "github.com"):
		return "https://api.github.com"
	case strings.HasSuffix(strings.ToLower(u.Host), ".ghe.com"):
		return "https://api." + u.Host
	}
	return web + "/api/v3"
}
