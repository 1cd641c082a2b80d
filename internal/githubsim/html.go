package githubsim

import (
	"bytes"
	"cmp"
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mergegate/mergegate/internal/githubsim/bare"
	"github.com/mergegate/mergegate/internal/githubsim/markdown"
)

//go:embed pages/*.html
var pages embed.FS

// serveHTML shows repositories, pull requests and check runs as plain pages. They read only, and ask for no login:
// everything on the machine may look.
func (s *Server) serveHTML(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	name, data := s.view(parts)
	if data == nil || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	tmpl, err := template.New("").Funcs(template.FuncMap{"markdown": markdown.Render}).ParseFS(pages, "pages/layout.html", "pages/"+name+".html")
	var out bytes.Buffer
	if err == nil {
		err = tmpl.ExecuteTemplate(&out, "layout", data)
	}
	if err != nil {
		http.Error(w, "render page: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Write(out.Bytes()) //nolint:errcheck // a client that went away is no concern of the server
}

// view picks the page of a path and gathers its data under the lock.
func (s *Server) view(parts []string) (string, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(parts) == 1 && parts[0] == "" {
		return "index", s.indexView()
	}
	if len(parts) < 2 {
		return "", nil
	}
	r := s.repository(parts[0], strings.TrimSuffix(parts[1], ".git"))
	if r == nil {
		return "", nil
	}
	if len(parts) == 2 || (len(parts) == 3 && parts[2] == "pulls") {
		return "repository", s.repositoryView(r)
	}
	if len(parts) < 4 {
		return "", nil
	}
	id, err := strconv.ParseInt(parts[3], 10, 64)
	if err != nil {
		return "", nil
	}
	switch p, run := r.pull(int(id)), r.run(id); {
	case parts[2] == "pull" && p != nil:
		return "pull", s.pullView(p)
	case parts[2] == "runs" && run != nil:
		return "run", runPage{Title: run.name, Repository: r.fullName(), Run: s.runView(r, run)}
	}
	return "", nil
}

type indexPage struct {
	Title        string
	Repositories []repositoryRow
}

type repositoryRow struct {
	Name    string
	Private bool
	Open    int
}

func (s *Server) indexView() indexPage {
	out := indexPage{Title: "Repositories"}
	for _, r := range s.repos {
		out.Repositories = append(out.Repositories, repositoryRow{r.fullName(), r.private, r.openPulls()})
	}
	return out
}

type repositoryPage struct {
	Title    string
	CloneURL string
	Pulls    []pullRow
}

type pullRow struct {
	Number int
	Title  string
	State  string
	Author string
	Head   string
	Base   string
	Checks []runView
}

func (s *Server) repositoryView(r *repository) repositoryPage {
	out := repositoryPage{Title: r.fullName(), CloneURL: s.repoPage(r, ".git")}
	for _, p := range slices.Backward(r.pulls) {
		out.Pulls = append(out.Pulls, s.pullRow(p))
	}
	return out
}

func (s *Server) pullRow(p *pull) pullRow {
	row := pullRow{Number: p.number, Title: p.title, State: p.stateWord(), Author: p.user.login, Head: p.headLabel, Base: p.baseRef}
	for _, run := range latestRuns(p.repo.runsAt(p.headSHA)) {
		row.Checks = append(row.Checks, s.runView(p.repo, run))
	}
	return row
}

func (p *pull) stateWord() string {
	switch {
	case p.merged != nil:
		return "merged"
	case !p.open():
		return "closed"
	case p.draft:
		return "draft"
	default:
		return "open"
	}
}

type runPage struct {
	Title      string
	Repository string
	Run        runView
}

type runView struct {
	ID          int64
	Name        string
	App         string
	State       string
	Conclusion  string
	Passed      bool
	Required    bool
	DetailsURL  string
	Title       string
	Summary     string
	Text        string
	Annotations []annotation
	Actions     []runAction
}

func (s *Server) runView(r *repository, run *checkRun) runView {
	v := runView{
		ID: run.id, Name: run.name, App: run.suite.app.name, State: run.status, Conclusion: cmp.Or(run.conclusion, run.status),
		Passed: run.passes(), Annotations: run.annotations, Actions: run.actions,
	}
	if strings.HasPrefix(run.detailsURL, "http://") || strings.HasPrefix(run.detailsURL, "https://") {
		v.DetailsURL = run.detailsURL
	}
	for to, from := range map[*string]*string{&v.Title: run.title, &v.Summary: run.summary, &v.Text: run.text} {
		if from != nil {
			*to = *from
		}
	}
	return v
}

type pullPage struct {
	Title      string
	Repository string
	Pull       pullRow
	Body       string
	HeadSHA    string
	Commits    int
	Changed    int
	Additions  int
	Deletions  int
	MergeState string
	Mergeable  bool
	Blocks     []string
	MergedBy   string
	Comments   []commentView
	Reviews    []commentView
	Files      []bare.Change
	More       int
}

type commentView struct {
	ID        int64
	Author    string
	App       bool
	When      time.Time
	Edited    bool
	Body      string
	State     string
	Minimized string
	Reactions []string
}

func (s *Server) pullView(p *pull) pullPage {
	facts := s.facts(p)
	out := pullPage{
		Title: p.title, Repository: p.repo.fullName(), Pull: s.pullRow(p), Body: p.body, HeadSHA: p.headSHA, Commits: facts.commits,
		Changed: facts.files, Additions: facts.additions, Deletions: facts.deletions, MergeState: facts.state, Mergeable: facts.mergeable == true,
	}
	for i := range out.Pull.Checks {
		out.Pull.Checks[i].Required = p.requires(out.Pull.Checks[i].Name)
	}
	if p.open() {
		out.Blocks = s.blockers(p, nil)
	}
	if p.mergedBy != nil {
		out.MergedBy = p.mergedBy.login
	}
	out.Comments, out.Reviews = commentViews(p), reviewViews(p)
	const shown = 100
	files := s.files(p)
	out.Files, out.More = files[:min(len(files), shown)], max(len(files)-shown, 0)
	return out
}

func (p *pull) requires(name string) bool {
	rule := p.repo.protection[p.baseRef]
	return rule != nil && slices.ContainsFunc(rule.checks, func(c requiredCheck) bool { return c.context == name })
}

func commentViews(p *pull) []commentView {
	var out []commentView
	for _, m := range p.repo.comments {
		if m.number != p.number {
			continue
		}
		v := commentView{
			ID: m.id, Author: m.user.login, App: m.app != nil, When: m.created, Edited: m.updated.After(m.created), Body: m.body,
			Minimized: strings.ToLower(m.minimized),
		}
		for _, r := range m.reactions {
			v.Reactions = append(v.Reactions, emoji(r.content)+" "+r.user.login)
		}
		out = append(out, v)
	}
	return out
}

func emoji(content string) string {
	return map[string]string{
		"+1": "👍", "-1": "👎", "laugh": "😄", "confused": "😕", "heart": "❤️", "hooray": "🎉", "rocket": "🚀", "eyes": "👀",
	}[content]
}

func reviewViews(p *pull) []commentView {
	var out []commentView
	for _, v := range p.reviews {
		out = append(out, commentView{
			ID: v.id, Author: v.user.login, When: v.submitted, Body: v.body, State: strings.ToLower(strings.ReplaceAll(v.state, "_", " ")),
		})
	}
	return out
}
