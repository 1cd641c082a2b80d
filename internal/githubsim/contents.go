package githubsim

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
)

func getRepository(c *call) answer {
	out := c.s.repositoryShape(c.repo)
	level := c.repo.level(c.who.person())
	out["permissions"] = permissionFlags(level)
	if c.who.installation() != nil {
		out["permissions"] = permissionFlags(levelNone)
	}
	out["allow_squash_merge"], out["allow_merge_commit"], out["allow_rebase_merge"] = true, true, true
	out["allow_auto_merge"], out["delete_branch_on_merge"], out["allow_update_branch"] = false, false, false
	if c.repo.owner.kind == "Organization" {
		out["organization"] = c.s.userShape(c.repo.owner)
	}
	if c.repo.parent != nil {
		out["parent"], out["source"] = c.s.repositoryShape(c.repo.parent), c.s.repositoryShape(c.repo.parent)
	}
	return ok(out)
}

// commitDetail adds the file list that a single commit has.
func (c *call) commitDetail(k bare.Commit) answer {
	out := c.s.commitShape(c.repo, k)
	files, err := c.repo.git.Diff(firstParent(k), k.ID)
	if err != nil {
		return broken(err)
	}
	added, removed := 0, 0
	for _, f := range files {
		added += f.Additions
		removed += f.Deletions
	}
	out["stats"] = object{"additions": added, "deletions": removed, "total": added + removed}
	const most = 300
	out["files"] = render(files[:min(len(files), most)], func(f bare.Change) object { return c.s.fileShape(c.repo, k.ID, f) })
	return ok(out)
}

func getCommit(c *call) answer {
	id, known := c.repo.git.Commit(c.path["ref"])
	if !known {
		return noCommit(c.path["ref"])
	}
	k, err := c.repo.git.Show(id)
	if err != nil {
		return broken(err)
	}
	return c.commitDetail(k)
}

// compare answers BASE...HEAD: commits without paging up to 250, files up to 300.
func compare(c *call) answer {
	from, to, three := strings.Cut(c.path["basehead"], "...")
	base, knownBase := c.repo.git.Commit(from)
	head, knownHead := c.repo.git.Commit(to)
	if !three || !knownBase || !knownHead {
		return notFound()
	}
	fork, related := c.repo.git.MergeBase(base, head)
	if !related {
		return fail(http.StatusNotFound, "No common ancestor between %s and %s.", from, to)
	}
	commits, err := c.repo.git.Log("--reverse", base+".."+head)
	if err != nil {
		return broken(err)
	}
	behind, err := c.repo.git.Count(head + ".." + base)
	if err != nil {
		return broken(err)
	}
	files, err := c.repo.git.Diff(fork, head)
	if err != nil {
		return broken(err)
	}
	return c.comparison(comparison{base, head, fork, commits, files, behind})
}

type comparison struct {
	base, head, fork string
	commits          []bare.Commit
	files            []bare.Change
	behind           int
}

func (c *call) comparison(d comparison) answer {
	ends := map[string]object{}
	for _, id := range []string{d.base, d.fork} {
		k, err := c.repo.git.Show(id)
		if err != nil {
			return broken(err)
		}
		ends[id] = c.s.commitShape(c.repo, k)
	}
	page := c.s.repoPage(c.repo, "/compare/%s...%s", d.base, d.head)
	return ok(object{
		"url": c.s.repoAPI(c.repo, "/compare/%s...%s", d.base, d.head), "html_url": page, "permalink_url": page,
		"diff_url": page + ".diff", "patch_url": page + ".patch", "base_commit": ends[d.base], "merge_base_commit": ends[d.fork],
		"status": relation(len(d.commits), d.behind), "ahead_by": len(d.commits), "behind_by": d.behind, "total_commits": len(d.commits),
		"commits": render(d.commits[:min(len(d.commits), 250)], func(k bare.Commit) object { return c.s.commitShape(c.repo, k) }),
		"files":   render(d.files[:min(len(d.files), 300)], func(f bare.Change) object { return c.s.fileShape(c.repo, d.head, f) }),
	})
}

func relation(ahead, behind int) string {
	switch {
	case ahead > 0 && behind > 0:
		return "diverged"
	case ahead > 0:
		return "ahead"
	case behind > 0:
		return "behind"
	default:
		return "identical"
	}
}

func getContents(c *call) answer {
	ref := c.query("ref")
	if ref == "" {
		ref = "refs/heads/" + c.repo.defaultBranch
	}
	id, known := c.repo.git.Commit(ref)
	if !known {
		return fail(http.StatusNotFound, "No commit found for the ref %s", ref)
	}
	path := strings.Trim(c.path["path"], "/")
	if path == "" {
		return c.directory(id, "")
	}
	entries, err := c.repo.git.Tree(id, path)
	if err != nil || len(entries) != 1 {
		return notFound()
	}
	if entries[0].Type == "tree" {
		return c.directory(id, path+"/")
	}
	return c.file(id, entries[0])
}

func (c *call) directory(id, prefix string) answer {
	entries, err := c.repo.git.Tree(id, prefix)
	if err != nil {
		return broken(err)
	}
	return ok(render(entries, func(e bare.Entry) object { return c.s.entryShape(c.repo, id, e) }))
}

func (c *call) file(id string, e bare.Entry) answer {
	out := c.s.entryShape(c.repo, id, e)
	if e.Type != "blob" {
		return ok(out)
	}
	data, err := c.repo.git.Blob(e.ID)
	if err != nil {
		return broken(err)
	}
	out["encoding"], out["content"] = "base64", base64.StdEncoding.EncodeToString(data)
	if len(data) > 1<<20 { // files over 1 MB come without content in the JSON form
		out["encoding"], out["content"] = "none", ""
	}
	return ok(out)
}

func (s *Server) entryShape(r *repository, at string, e bare.Entry) object {
	kind := map[string]string{"040000": "dir", "160000": "submodule", "120000": "symlink"}[e.Mode]
	if kind == "" {
		kind = "file"
	}
	path := escapePath(e.Path)
	self, html := s.repoAPI(r, "/contents/%s?ref=%s", path, at), s.repoPage(r, "/blob/%s/%s", at, path)
	git := s.repoAPI(r, "/git/%ss/%s", e.Type, e.ID)
	out := object{
		"type": kind, "size": e.Size, "name": e.Path[strings.LastIndex(e.Path, "/")+1:], "path": e.Path, "sha": e.ID,
		"url": self, "html_url": html, "git_url": git, "download_url": nil,
		"_links": object{"self": self, "html": html, "git": git},
	}
	if kind == "file" {
		out["download_url"] = s.repoPage(r, "/raw/%s/%s", at, path)
	}
	return out
}

func (s *Server) refShape(r *repository, name, id string) object {
	return object{
		"ref": name, "node_id": "REF_" + base64.RawURLEncoding.EncodeToString([]byte(name)),
		"url":    s.repoAPI(r, "/git/%s", escapePath(name)),
		"object": object{"type": "commit", "sha": id, "url": s.repoAPI(r, "/git/commits/%s", id)},
	}
}

func getRef(c *call) answer {
	refs, err := c.repo.git.Refs()
	if err != nil {
		return broken(err)
	}
	name := "refs/" + strings.TrimPrefix(c.path["ref"], "refs/")
	if id, known := refs[name]; known {
		return ok(c.s.refShape(c.repo, name, id))
	}
	return notFound()
}

func listMatchingRefs(c *call) answer {
	refs, err := c.repo.git.Refs()
	if err != nil {
		return broken(err)
	}
	var names []string
	for name := range refs {
		if strings.HasPrefix(name, "refs/"+strings.TrimPrefix(c.path["ref"], "refs/")) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return ok(render(names, func(name string) object { return c.s.refShape(c.repo, name, refs[name]) }))
}

func getTree(c *call) answer {
	out, err := c.repo.git.Git(nil, "rev-parse", "--verify", "--quiet", "--end-of-options", c.path["sha"]+"^{tree}")
	if err != nil {
		return notFound()
	}
	id := strings.TrimSpace(string(out))
	var options []string
	if c.query("recursive") != "" {
		options = []string{"-r", "-t"}
	}
	entries, err := c.repo.git.Tree(id, "", options...)
	if err != nil {
		return broken(err)
	}
	const most = 100_000
	return ok(object{
		"sha": id, "url": c.s.repoAPI(c.repo, "/git/trees/%s", id), "truncated": len(entries) > most,
		"tree": render(entries[:min(len(entries), most)], func(e bare.Entry) object { return c.treeEntry(e) }),
	})
}

func (c *call) treeEntry(e bare.Entry) object {
	out := object{"path": e.Path, "mode": e.Mode, "type": e.Type, "sha": e.ID}
	if e.Type != "commit" {
		out["url"] = c.s.repoAPI(c.repo, "/git/%ss/%s", e.Type, e.ID)
	}
	if e.Type == "blob" {
		out["size"] = e.Size
	}
	return out
}
