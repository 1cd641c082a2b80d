package github

import (
	"context"
	"fmt"
	"strconv"

	"github.com/mergegate/mergegate/internal/pull"
)

// Client is the App in one installation. It is safe for concurrent use.
type Client struct {
	app          *App
	installation int64
	read         *sender
	report       *sender
	discuss      *sender
}

func (a *App) newClient(installation int64) *Client {
	l := newLimiter(a.clock, a.limits)
	as := func(r role) *sender {
		t := a.newTokens(installation, r)
		s := a.newSender(pin(a.api.BaseURL, t), l)
		s.tokens = t
		return s
	}
	return &Client{app: a, installation: installation, read: as(roleRead), report: as(roleReport), discuss: as(roleDiscuss)}
}

// Repositories are those that the installation has access to.
func (c *Client) Repositories(ctx context.Context) ([]pull.Repository, error) {
	found, err := list[wireRepository](ctx, c.read, "installation/repositories?per_page=100", "repositories")
	if err != nil {
		return nil, err
	}
	all, err := repositories(found, c.installation)
	if err != nil {
		return nil, &PayloadError{What: "GET /installation/repositories", Err: err}
	}
	for i := range all {
		all[i].CloneURL = c.app.CloneURL(all[i])
	}
	return all, nil
}

// Repository asks for the repository by its name. Where repo has an id, another repository that has the name by now is
// ErrNotFound.
func (c *Client) Repository(ctx context.Context, repo pull.Repository) (pull.Repository, error) {
	if err := checkRepository(repo); err != nil {
		return pull.Repository{}, err
	}
	path := repoPath(repo)
	found, err := get[wireRepository](ctx, c.read, path)
	if err != nil {
		return pull.Repository{}, err
	}
	now, err := found.repository(c.installation)
	if err != nil {
		return pull.Repository{}, &PayloadError{What: "GET /" + path, Err: err}
	}
	if repo.ID != 0 && repo.ID != now.ID {
		return pull.Repository{}, fmt.Errorf("repository %s has id %d instead of %d: %w", repo.FullName(), now.ID, repo.ID, ErrNotFound)
	}
	now.CloneURL = c.app.CloneURL(now)
	return now, nil
}

// PullRequest reads a pull request as it is now.
func (c *Client) PullRequest(ctx context.Context, repo pull.Repository, number int) (pull.Request, error) {
	if err := checkRepository(repo); err != nil {
		return pull.Request{}, err
	}
	path := repoPath(repo, "pulls", strconv.Itoa(number))
	found, err := get[wirePull](ctx, c.read, path)
	if err != nil {
		return pull.Request{}, err
	}
	return c.request(&found, repo, path)
}

// request is the pull request in the repository as it is called now.
func (c *Client) request(found *wirePull, repo pull.Repository, path string) (pull.Request, error) {
	if found.Base.Repo != nil {
		now, err := found.Base.Repo.repository(c.installation)
		if err != nil {
			return pull.Request{}, &PayloadError{What: "GET /" + path, Err: err}
		}
		if repo.ID == 0 || repo.ID == now.ID {
			repo = now
		}
	}
	repo.InstallationID, repo.CloneURL = c.installation, c.app.CloneURL(repo)
	request, err := found.request(repo)
	if err != nil {
		return pull.Request{}, &PayloadError{What: "GET /" + path, Err: err}
	}
	return request, nil
}

// OpenPullRequests are all that are open, drafts included.
func (c *Client) OpenPullRequests(ctx context.Context, repo pull.Repository) ([]pull.Request, error) {
	return c.requests(ctx, repo, repoPath(repo, "pulls")+"?state=open&per_page=100&sort=created&direction=asc")
}

// PullsForCommit are the pull requests that contain a commit: the merged one that brought it, or open ones. It may be
// none, also for a moment after a merge.
func (c *Client) PullsForCommit(ctx context.Context, repo pull.Repository, sha string) ([]pull.Request, error) {
	return c.requests(ctx, repo, repoPath(repo, "commits", sha, "pulls")+"?per_page=100")
}

func (c *Client) requests(ctx context.Context, repo pull.Repository, path string) ([]pull.Request, error) {
	if err := checkRepository(repo); err != nil {
		return nil, err
	}
	found, err := list[wirePull](ctx, c.read, path, "")
	if err != nil {
		return nil, err
	}
	all := make([]pull.Request, 0, len(found))
	for i := range found {
		request, err := c.request(&found[i], repo, path)
		if err != nil {
			return nil, err
		}
		all = append(all, request)
	}
	return all, nil
}

// BranchHead is the commit that a branch points to. A branch that does not exist is ErrNotFound.
func (c *Client) BranchHead(ctx context.Context, repo pull.Repository, branch string) (string, error) {
	if err := checkRepository(repo); err != nil {
		return "", err
	}
	path := repoPath(repo, "git", "ref") + "/heads/" + escapeRef(branch)
	found, err := get[struct {
		Ref    string `json:"ref"`
		Object struct {
			SHA string `json:"sha"`
		} `json:"object"`
	}](ctx, c.read, path)
	if err != nil {
		return "", err
	}
	if found.Ref != "refs/heads/"+branch || !isSHA(found.Object.SHA) {
		return "", &PayloadError{What: "GET /" + path, Err: fmt.Errorf("the answer is about %q", found.Ref)}
	}
	return found.Object.SHA, nil
}
