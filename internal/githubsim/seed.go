package githubsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Seed is the state a simulator starts with.
type Seed struct {
	Users        []SeedUser       `yaml:"users"`
	Repositories []SeedRepository `yaml:"repositories"`
	Apps         []SeedApp        `yaml:"apps"`
}

// SeedUser is a person, an organization or a bot.
type SeedUser struct {
	ID    int64  `yaml:"id"`
	Login string `yaml:"login"`
	// Type is User (the default), Organization or Bot.
	Type  string `yaml:"type"`
	Name  string `yaml:"name"`
	Email string `yaml:"email"`
	// Tokens are personal access tokens that act as this user, in REST and in git.
	Tokens []string `yaml:"tokens"`
}

// SeedRepository is a repository with its content, people and protection.
type SeedRepository struct {
	ID            int64  `yaml:"id"`
	Owner         string `yaml:"owner"`
	Name          string `yaml:"name"`
	DefaultBranch string `yaml:"default_branch"`
	Private       bool   `yaml:"private"`
	// Collaborators maps a login to read, triage, write, maintain or admin.
	Collaborators map[string]string `yaml:"collaborators"`
	// Protection is by branch name.
	Protection []SeedProtection `yaml:"protection"`
	// Files is the content of the first commit on the default branch.
	Files map[string]string `yaml:"files"`
	// From is a plain directory whose files are the first commit, instead of Files.
	From string `yaml:"from"`
	// ForkOf is the full name of an earlier repository that this one is a fork of.
	ForkOf string `yaml:"fork_of"`
}

// SeedProtection is classic branch protection.
type SeedProtection struct {
	Branch        string      `yaml:"branch"`
	Strict        bool        `yaml:"strict"`
	EnforceAdmins bool        `yaml:"enforce_admins"`
	Checks        []SeedCheck `yaml:"checks"`
	// Reviews is how many approvals by writers are required.
	Reviews int `yaml:"required_approving_review_count"`
}

// SeedCheck is one required check.
type SeedCheck struct {
	Context string `yaml:"context"`
	// AppID pins the check to an App; absent or -1 accepts any source.
	AppID int64 `yaml:"app_id"`
}

// SeedApp is a GitHub App with its webhook and installations.
type SeedApp struct {
	ID      int64  `yaml:"id"`
	Slug    string `yaml:"slug"`
	Name    string `yaml:"name"`
	Owner   string `yaml:"owner"`
	Webhook struct {
		URL    string `yaml:"url"`
		Secret string `yaml:"secret"`
	} `yaml:"webhook"`
	// PrivateKey is an RSA key in PEM; when empty, one is generated.
	PrivateKey    string             `yaml:"private_key"`
	Permissions   map[string]string  `yaml:"permissions"`
	Events        []string           `yaml:"events"`
	Installations []SeedInstallation `yaml:"installations"`
}

// SeedInstallation installs an App on an account.
type SeedInstallation struct {
	ID      int64  `yaml:"id"`
	Account string `yaml:"account"`
	// Repositories are names within the account; empty means all of them.
	Repositories []string `yaml:"repositories"`
	// Permissions are what the account accepted; empty means what the App asks for.
	Permissions map[string]string `yaml:"permissions"`
}

// ParseSeed reads YAML or JSON. A key that it does not know is an error.
func ParseSeed(text []byte) (Seed, error) {
	var seed Seed
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&seed); err != nil && !errors.Is(err, io.EOF) {
		return Seed{}, fmt.Errorf("parse seed: %w", err)
	}
	var more any
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return Seed{}, errors.New("parse seed: more than one document")
	}
	return seed, seed.Validate()
}

// Validate reports every mistake that would otherwise surface as strange behaviour later.
func (s Seed) Validate() error {
	known := map[string]bool{}
	var errs []error
	for i, u := range s.Users {
		if u.Login == "" {
			errs = append(errs, fmt.Errorf("users[%d].login is missing", i))
		}
		if !slices.Contains([]string{"", "User", "Organization", "Bot"}, u.Type) {
			errs = append(errs, fmt.Errorf("user %s: type %q: want User, Organization or Bot", u.Login, u.Type))
		}
		if known[strings.ToLower(u.Login)] {
			errs = append(errs, fmt.Errorf("user %s is there twice", u.Login))
		}
		known[strings.ToLower(u.Login)] = true
	}
	for _, r := range s.Repositories {
		errs = append(errs, r.validate(known)...)
	}
	ids := map[any]bool{}
	for _, a := range s.Apps {
		errs = append(errs, a.validate(known)...)
		if ids[a.ID] || ids[a.Slug] {
			errs = append(errs, fmt.Errorf("app %s: its id or slug is there twice", a.Slug))
		}
		ids[a.ID], ids[a.Slug] = true, true
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

func (r SeedRepository) validate(users map[string]bool) []error {
	var errs []error
	name := r.Owner + "/" + r.Name
	if r.Name == "" || strings.ContainsAny(r.Name, "/ ") {
		errs = append(errs, fmt.Errorf("repository %s: the name is empty or has a slash or space", name))
	}
	if !users[strings.ToLower(r.Owner)] {
		errs = append(errs, fmt.Errorf("repository %s: owner is not in users", name))
	}
	for login, role := range r.Collaborators {
		if !users[strings.ToLower(login)] {
			errs = append(errs, fmt.Errorf("repository %s: collaborator %s is not in users", name, login))
		}
		if roleLevel(role) < levelRead {
			errs = append(errs, fmt.Errorf("repository %s: collaborator %s: role %q: want read, triage, write, maintain or admin", name, login, role))
		}
	}
	for i, p := range r.Protection {
		if p.Branch == "" {
			errs = append(errs, fmt.Errorf("repository %s: protection[%d].branch is missing", name, i))
		}
	}
	if r.From != "" && len(r.Files) > 0 {
		errs = append(errs, fmt.Errorf("repository %s: from and files exclude each other", name))
	}
	return errs
}

func (a SeedApp) validate(users map[string]bool) []error {
	var errs []error
	if a.ID <= 0 || a.Slug == "" {
		errs = append(errs, fmt.Errorf("app %q: id and slug are required", a.Slug))
	}
	if !users[strings.ToLower(a.Owner)] {
		errs = append(errs, fmt.Errorf("app %s: owner %q is not in users", a.Slug, a.Owner))
	}
	for name, access := range a.Permissions {
		if accessLevel(access) == 0 {
			errs = append(errs, fmt.Errorf("app %s: permission %s: %q: want read, write or admin", a.Slug, name, access))
		}
	}
	for _, in := range a.Installations {
		if !users[strings.ToLower(in.Account)] {
			errs = append(errs, fmt.Errorf("app %s: installation account %q is not in users", a.Slug, in.Account))
		}
	}
	return errs
}
