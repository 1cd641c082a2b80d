package githubsim

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
	"github.com/mergegate/mergegate/internal/githubsim/hook"
)

func (s *Server) load(seed Seed) error {
	for _, u := range seed.Users {
		s.loadUser(u)
	}
	for _, r := range seed.Repositories {
		if err := s.loadRepository(r); err != nil {
			return fmt.Errorf("seed repository %s/%s: %w", r.Owner, r.Name, err)
		}
	}
	for _, a := range seed.Apps {
		if err := s.loadApp(a); err != nil {
			return fmt.Errorf("seed app %s: %w", a.Slug, err)
		}
	}
	return nil
}

func (s *Server) loadUser(seed SeedUser) {
	u := &user{id: s.idOr(seed.ID), login: seed.Login, kind: seed.Type, name: seed.Name, email: seed.Email, created: s.now()}
	if u.kind == "" {
		u.kind = "User"
	}
	s.users = append(s.users, u)
	for _, value := range seed.Tokens {
		s.tokens[value] = &token{value: value, user: u}
	}
}

func (s *Server) idOr(id int64) int64 {
	if id != 0 {
		return id
	}
	return s.nextID()
}

func (s *Server) loadRepository(seed SeedRepository) error {
	r := &repository{
		id: s.idOr(seed.ID), owner: s.userNamed(seed.Owner), name: seed.Name, defaultBranch: seed.DefaultBranch,
		private: seed.Private, roles: seed.Collaborators, protection: map[string]*protection{}, created: s.now(), pushed: s.now(),
	}
	if s.repository(seed.Owner, seed.Name) != nil {
		return errors.New("it is there twice")
	}
	if r.defaultBranch == "" {
		r.defaultBranch = "main"
	}
	for _, p := range seed.Protection {
		r.protection[p.Branch] = seedProtection(p)
	}
	var err error
	r.git, err = bare.Init(s.repositoryDir(r), r.defaultBranch)
	if err != nil {
		return err
	}
	if err := installUpdateHook(r.git.Dir); err != nil {
		return err
	}
	if err := s.fill(r, seed); err != nil {
		return err
	}
	r.refs, err = r.git.Refs()
	s.repos = append(s.repos, r)
	return err
}

func (s *Server) repositoryDir(r *repository) string {
	return filepath.Join(s.config.Dir, "repositories", r.owner.login, r.name+".git")
}

func seedProtection(seed SeedProtection) *protection {
	p := &protection{
		branch: seed.Branch, strict: seed.Strict, enforceAdmins: seed.EnforceAdmins, hasChecks: len(seed.Checks) > 0,
		reviews: seed.Reviews, hasReviews: seed.Reviews > 0,
	}
	for _, c := range seed.Checks {
		p.checks = append(p.checks, requiredCheck{context: c.Context, appID: max(c.AppID, 0)})
	}
	return p
}

// fill gives a new repository its first content. A directory that already has commits keeps them.
func (s *Server) fill(r *repository, seed SeedRepository) error {
	if _, ok := r.git.Branch(r.defaultBranch); ok {
		return nil
	}
	if seed.ForkOf != "" {
		r.parent = s.repositoryNamed(seed.ForkOf)
		if r.parent == nil {
			return fmt.Errorf("fork_of %s: no such repository before this one", seed.ForkOf)
		}
		return r.git.Fetch(r.parent.git.Dir, "refs/heads/*", "refs/heads/*")
	}
	files := seed.Files
	if seed.From != "" {
		var err error
		if files, err = readFiles(seed.From); err != nil {
			return err
		}
	}
	if len(files) == 0 {
		return nil
	}
	_, err := s.commit(r, Push{Branch: r.defaultBranch, Write: files, Message: "Initial commit"}, r.owner)
	return err
}

func readFiles(dir string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read files of %s: %w", dir, err)
	}
	return files, nil
}

func (s *Server) loadApp(seed SeedApp) error {
	key, err := s.appKey(seed)
	if err != nil {
		return err
	}
	a := &app{
		id: seed.ID, slug: seed.Slug, name: seed.Name, owner: s.userNamed(seed.Owner), key: key,
		permissions: withMetadata(seed.Permissions), events: seed.Events, created: s.now(),
		bot: &user{id: s.nextID(), login: seed.Slug + "[bot]", kind: "Bot", created: s.now()},
	}
	if a.name == "" {
		a.name = a.slug
	}
	s.users = append(s.users, a.bot)
	a.hooks = hook.NewQueue(
		hook.Target{HookID: s.nextID(), AppID: a.id, URL: seed.Webhook.URL, Secret: seed.Webhook.Secret},
		hook.Options{
			Timeout: s.config.HookTimeout, Transport: s.config.HookTransport, Now: s.config.Now,
			NextID: newCounter(a.id * 1_000_000), Observe: s.config.Observe,
		})
	s.apps = append(s.apps, a)
	for _, in := range seed.Installations {
		if err := s.loadInstallation(a, in); err != nil {
			return err
		}
	}
	return nil
}

func newCounter(start int64) func() int64 {
	return func() int64 {
		start++
		return start
	}
}

func (s *Server) loadInstallation(a *app, seed SeedInstallation) error {
	in := &installation{
		id: s.idOr(seed.ID), app: a, account: s.userNamed(seed.Account), permissions: withMetadata(seed.Permissions), created: s.now(),
	}
	if len(seed.Permissions) == 0 {
		in.permissions = a.permissions
	}
	if len(seed.Repositories) > 0 {
		in.repos = map[int64]bool{}
	}
	for _, name := range seed.Repositories {
		r := s.repository(seed.Account, name)
		if r == nil {
			return fmt.Errorf("installation on %s: no repository %s", seed.Account, name)
		}
		in.repos[r.id] = true
	}
	s.installs = append(s.installs, in)
	return nil
}

// appKey parses the seed's key or generates one, and keeps a file of it either way.
func (s *Server) appKey(seed SeedApp) (*rsa.PrivateKey, error) {
	text := []byte(seed.PrivateKey)
	path := s.PrivateKeyFile(seed.Slug)
	if len(text) == 0 {
		text, _ = os.ReadFile(path) // an earlier run's key is kept; without one a new key is made
	}
	if len(text) == 0 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, fmt.Errorf("generate private key: %w", err)
		}
		text = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make key directory: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("write private key: %w", err)
	}
	return key, nil
}

func parseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("parse private key: not PEM")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse private key: %w", err)
	}
	rsaKey, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("parse private key: not an RSA key")
	}
	return rsaKey, nil
}
