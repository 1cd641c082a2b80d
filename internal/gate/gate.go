// Package gate is the story of a pull request on GitHub: what is heard of it (hints.go), that it is
// planned (pull.go), what is published of the plan (publish.go, comment.go, twins.go), what people
// ask for (commands.go), what a merge queue asks for (group.go), and that all of this happens even
// when nothing is heard (sweep.go). How anything is done to GitHub is in effects.go, what becomes of
// failures in failing.go, what is kept for auditors in audit.go.
//
// Its order is always the same: persist, then act, then publish. Whatever it does to GitHub has a
// key in the journal and happens once. Every function may be called again after a crash at any
// point of it; what is done already is then found done.
//
// It owns no rule of what a plan is or means: that is pipeline's.
package gate

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mergegate/mergegate/internal/github"
	"github.com/mergegate/mergegate/internal/pipeline"
	"github.com/mergegate/mergegate/internal/pull"
	"github.com/mergegate/mergegate/internal/queue"
	"github.com/mergegate/mergegate/internal/source"
	"github.com/mergegate/mergegate/internal/store"
)

// Jobs takes jobs in the transaction that records why they are needed.
type Jobs interface {
	Insert(ctx context.Context, tx *store.Tx, job queue.Job) error
	// Supersede tells a running job that there is something newer to do.
	Supersede(ctx context.Context, tx *store.Tx, job queue.Job) error
}

// Config is what a Gate works with.
type Config struct {
	App       *github.App
	Engine    *pipeline.Engine
	Jobs      Jobs
	Logger    *slog.Logger
	Mirrors   string // directory of the git mirrors
	PublicURL string // where people reach the server's pages; empty: nowhere
	Store     *store.Store
	// Refresh is after what time clusters are asked again about a plan that is published.
	Refresh time.Duration
}

// Gate does what is to be done about pull requests.
type Gate struct {
	Config

	mu      sync.Mutex
	fetches map[int64]*sync.Mutex // by repository
}

// New returns a gate.
func New(cfg Config) *Gate {
	return &Gate{Config: cfg, fetches: map[int64]*sync.Mutex{}}
}

// client is GitHub as an installation sees it.
func (g *Gate) client(repo pull.Repository) *github.Client {
	return g.App.Installation(repo.InstallationID)
}

// repository is a repository that is ours to look at. ok is false when it is not, or not any more.
func (g *Gate) repository(ctx context.Context, id int64) (repo pull.Repository, ok bool, err error) {
	repo, active, err := g.Store.Repository(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return repo, false, nil
	}
	return repo, active, err
}

// fetch brings commits into the repository's mirror and returns it with their SHAs. The caller
// closes the mirror.
func (g *Gate) fetch(ctx context.Context, repo pull.Repository, wanted ...source.Wanted) (_ *source.Mirror, shas []string, err error) {
	lock := g.fetching(repo.ID)
	lock.Lock()
	defer lock.Unlock()
	client := g.client(repo)
	credential, err := client.GitCredential(ctx, repo)
	if err != nil {
		return nil, nil, err
	}
	defer g.revoke(ctx, client, credential)
	mirror, err := source.OpenMirror(ctx, filepath.Join(g.Mirrors, strconv.FormatInt(repo.ID, 10)+".git"), credential.URL)
	if err != nil {
		return nil, nil, err
	}
	shas, err = mirror.Fetch(ctx, credential.Env(), wanted...)
	if err != nil {
		return nil, nil, errors.Join(err, mirror.Close())
	}
	return mirror, shas, nil
}

// revoke ends a credential early. One that cannot be revoked ends by itself within the hour.
func (g *Gate) revoke(ctx context.Context, client *github.Client, credential github.Credential) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := client.Revoke(ctx, credential); err != nil {
		g.Logger.WarnContext(ctx, "git credential was not revoked", slog.Any("error", err))
	}
}

// fetching is the lock of a repository's mirror.
func (g *Gate) fetching(repositoryID int64) *sync.Mutex {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fetches[repositoryID] == nil {
		g.fetches[repositoryID] = &sync.Mutex{}
	}
	return g.fetches[repositoryID]
}

// detailsURL is the page of an evaluation's plan, or empty when the server has no address.
func (g *Gate) detailsURL(e store.Evaluation) string {
	if g.PublicURL == "" {
		return ""
	}
	return strings.TrimSuffix(g.PublicURL, "/") + "/plans/" + e.Token
}

// blobURL is where GitHub shows the files of a commit.
func blobURL(repo pull.Repository, sha string) string {
	return strings.TrimSuffix(repo.CloneURL, ".git") + "/blob/" + sha
}
