package render

import (
	"net/url"
	"path"
	"regexp"
	"strings"
)

// isRemoteFile says whether kustomize would fetch a file by HTTP.
func isRemoteFile(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https")
}

var gitUser = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9-]*@`)

// isRepository says whether kustomize would clone a directory from a git repository: a URL with a
// scheme that git knows, user@host:path, or github.com/org/repo. It does so even where a directory
// of that name exists.
func isRepository(text string) bool {
	if path.IsAbs(text) {
		return false
	}
	text, _, _ = strings.Cut(text, "?")
	text = cutPrefixFold(text, "git::")
	scheme := ""
	for _, s := range []string{"ssh://", "https://", "http://", "file://"} {
		if rest := cutPrefixFold(text, s); rest != text {
			scheme, text = s, rest
			break
		}
	}
	user := gitUser.FindString(text)
	host := text[len(user):]
	github := cutPrefixFold(host, "github.com/") != host || cutPrefixFold(host, "github.com:") != host
	switch {
	case scheme == "file://":
		return repositoryPath(text, 1)
	case scheme == "" && user == "" && !github:
		return false
	}
	end := strings.Index(host, "/")
	if colon := strings.Index(host, ":"); scheme == "" && (end < 0 || colon > 0 && colon < end) {
		end = colon
	}
	return end >= 0 && repositoryPath(host[end+1:], 2)
}

// repositoryPath says whether what follows a host names a repository of at least so many segments,
// and a path inside it.
func repositoryPath(text string, segments int) bool {
	repository, inside := text, ""
	if i := strings.Index(text, "_git/"); i >= 0 {
		name, rest, _ := strings.Cut(text[i+len("_git/"):], "/")
		repository, inside = text[:i]+"_git/"+name, rest
	} else if i := strings.Index(text, "//"); i >= 0 {
		repository, inside = text[:i], text[i+2:]
	} else if i := strings.Index(text, ".git"); i >= 0 {
		repository, inside = text[:i], text[i+len(".git"):]
	} else if parts := strings.Split(text, "/"); segments > 1 {
		if len(parts) < segments {
			return false
		}
		inside = strings.Join(parts[segments:], "/")
	}
	first, _, _ := strings.Cut(path.Clean(strings.TrimPrefix(inside, "/")), "/")
	return repository != "" && first != ".."
}

func cutPrefixFold(text, prefix string) string {
	if len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix) {
		return text[len(prefix):]
	}
	return text
}

var (
	urlUser  = regexp.MustCompile(`://[^/@\s"]+@`)
	urlToken = regexp.MustCompile(`(?i)([?&][a-z_-]*(?:token|password|secret|key|sig|signature)=)[^&\s"]+`)
)

// scrubURLs takes credentials out of URLs.
func scrubURLs(text string) string {
	text = urlUser.ReplaceAllString(text, "://"+secretMark+"@")
	return urlToken.ReplaceAllString(text, "${1}"+secretMark)
}
