package github

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/pull"
)

const defaultAPI = "https://api.github.com"

// ErrForeignHost is the refusal to send a request, and with it a token, anywhere but to the configured API.
var ErrForeignHost = errors.New("not the configured GitHub API")

// errRedirect is a redirect that is not followed; what was asked for was not done.
var errRedirect = errors.New("redirect not followed")

// Endpoints gives the addresses of the API and of git for the address at which people use a GitHub:
// https://github.com, https://NAME.ghe.com or an Enterprise Server.
func Endpoints(server string) (api, git string, err error) {
	u, err := endpoint(server)
	if err != nil {
		return "", "", err
	}
	if strings.Trim(u.Path, "/") != "" {
		return "", "", fmt.Errorf("address %s: want no path", u.Redacted())
	}
	git = u.Scheme + "://" + u.Host
	switch {
	case u.Host == "github.com":
		return defaultAPI, git, nil
	case strings.HasSuffix(u.Host, ".ghe.com"):
		return u.Scheme + "://api." + u.Host, git, nil
	}
	return git + "/api/v3", git, nil
}

// addresses is the API's address with a slash at its end, as go-github wants it, and git's without.
func addresses(cfg Config) (api, git *url.URL, err error) {
	base := cfg.BaseURL
	if base == "" {
		base = defaultAPI
	}
	if api, err = endpoint(base); err != nil {
		return nil, nil, err
	}
	clone := cfg.GitURL
	if clone == "" {
		clone = gitBeside(api)
	}
	if git, err = endpoint(clone); err != nil {
		return nil, nil, err
	}
	api.Path += "/"
	return api, git, nil
}

// gitBeside is where the GitHub with this API serves git.
func gitBeside(api *url.URL) string {
	host := api.Host
	if host == "api.github.com" || strings.HasSuffix(host, ".ghe.com") {
		host = strings.TrimPrefix(host, "api.")
	}
	return api.Scheme + "://" + host + strings.TrimSuffix(api.Path, "/api/v3")
}

// endpoint parses an address to which tokens are sent: encrypted, unless it does not leave the machine.
func endpoint(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("parse address of GitHub: not a URL")
	}
	if u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("address %s: want scheme, host and path only", u.Redacted())
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("address %s: want https, else tokens could be read on the way", u.Redacted())
	}
	u.Host, u.Path, u.RawPath = canonicalHost(u), strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// canonicalHost is the host in lower case without the port that the scheme implies.
func canonicalHost(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// pin refuses every request that does not go to the API at address. It stands above ghinstallation, which would
// authenticate a request to any host, and below it as well.
func pin(address *url.URL, next http.RoundTripper) http.RoundTripper {
	return &pinned{scheme: address.Scheme, host: address.Host, path: address.Path, next: next}
}

type pinned struct {
	scheme, host, path string
	next               http.RoundTripper
}

func (p *pinned) RoundTrip(req *http.Request) (*http.Response, error) {
	u := req.URL
	climbs := slices.Contains(strings.Split(u.Path, "/"), "..")
	here := u.Scheme == p.scheme && canonicalHost(u) == p.host && (req.Host == "" || req.Host == u.Host)
	if here && strings.HasPrefix(u.Path, p.path) && !climbs {
		return p.next.RoundTrip(req)
	}
	if req.Body != nil {
		if err := req.Body.Close(); err != nil {
			return nil, fmt.Errorf("refuse request to %s: %w", u.Host, err)
		}
	}
	return nil, fmt.Errorf("%s://%s: %w", u.Scheme, u.Host, ErrForeignHost)
}

// checkRedirect follows a few redirects, which GitHub uses for renamed repositories. net/http would turn a redirected
// write into a read; that is an error instead. The hosts are checked by pin.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > 3 {
		return fmt.Errorf("%w: too many", errRedirect)
	}
	if req.Method != via[0].Method {
		return fmt.Errorf("%w: %s would become %s", errRedirect, via[0].Method, req.Method)
	}
	return nil
}

// CloneURL is where a repository is cloned from. It is built from the configuration: addresses in payloads are not used.
func (a *App) CloneURL(repo pull.Repository) string {
	return a.git.JoinPath(repo.Owner, repo.Name+".git").String()
}
