package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/mergegate/mergegate/internal/config"
	"github.com/mergegate/mergegate/internal/policy"
	"github.com/mergegate/mergegate/internal/source"
	"github.com/mergegate/mergegate/internal/verdict"
)

// ConfigFile is where a repository keeps its configuration.
const ConfigFile = ".mergegate.yaml"

// trees are the two sides of a change.
type trees struct {
	base, head *source.Tree // head: merged into base
	merge      string       // SHA of the merged tree
}

func openTrees(ctx context.Context, c Change) (t trees, err error) {
	defer func() {
		if errors.Is(err, source.ErrTooLarge) {
			err = &InputError{Err: err}
		}
	}()
	base, err := c.Repository.Tree(ctx, c.Base)
	if err != nil {
		return trees{}, err
	}
	merge, err := c.Repository.Merge(ctx, c.Base, c.Head)
	var conflict *source.ConflictError
	if errors.As(err, &conflict) || errors.Is(err, source.ErrUnrelated) {
		return trees{}, &InputError{Err: err}
	}
	if err != nil {
		return trees{}, err
	}
	head, err := c.Repository.Tree(ctx, merge)
	if err != nil {
		return trees{}, err
	}
	return trees{base: base, head: head, merge: merge}, nil
}

// configuration is what base says, never what head says.
func configuration(base *source.Tree, trusted *config.Repository) (config.Repository, error) {
	if trusted != nil {
		return *trusted, nil
	}
	data, err := base.ReadFile(ConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return config.Repository{}, nil
	}
	if err != nil {
		return config.Repository{}, input("read configuration at base: %w", err)
	}
	cfg, err := config.ParseRepository(ConfigFile, data)
	if err != nil {
		return config.Repository{}, input("read configuration at base: %w", err)
	}
	return cfg, nil
}

func failOn(cfg config.Repository, o Options) verdict.FailOn {
	return verdict.FailOn(cmp.Or(o.FailOn, string(cfg.Policy.FailOn)))
}

// IsPolicyFile says whether a file may be a part of a policy directory: Rego, or data.
func IsPolicyFile(name string) bool {
	switch path.Ext(name) {
	case ".rego", ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// conventional are the directories in which policies are looked for when nothing names any.
var conventional = []string{"policy", "policies"}

// policies compiles what judges the change: what the caller gives, and what base names or has in a
// conventional directory; the built-in library where there is nothing else, or where it is asked for.
func (e *Engine) policies(ctx context.Context, base *source.Tree, cfg config.Repository, o Options) (*policy.Engine, error) {
	sources := slices.Clone(o.Policies)
	dirs := cfg.Policy.Paths
	if len(dirs) == 0 && len(sources) == 0 {
		dirs = withRego(base)
	}
	for _, dir := range dirs {
		files, err := readTree(base, dir)
		if err != nil {
			return nil, input("read policies of %s at base: %w", dir, err)
		}
		sources = append(sources, policy.Source{Name: dir, Files: files})
	}
	for _, dir := range cfg.Policy.Data {
		files, err := readTree(base, dir)
		if err != nil {
			return nil, input("read policy data of %s at base: %w", dir, err)
		}
		sources = append(sources, policy.Source{Name: dir, Files: files, Data: true})
	}
	distinct(sources)
	if builtIn(cfg, sources) {
		sources = append(sources, without(e.BuiltIn, cfg.Policy.Disable))
	}
	compiled, err := e.Compiled.Compile(ctx, sources, policy.Options{
		Namespaces: cfg.Policy.Namespaces, Combine: cfg.Policy.Combine, Timeout: e.PolicyTimeout, Workers: e.Workers,
	})
	if err != nil {
		return nil, input("%w", err)
	}
	return compiled, nil
}

// distinct gives sources of one name names of their own. The last one keeps it: those of the
// repository, whose names are places in it, come after the caller's.
func distinct(sources []policy.Source) {
	taken := map[string]bool{}
	for i := range slices.Backward(sources) {
		name := sources[i].Name
		for n := 2; taken[sources[i].Name]; n++ {
			sources[i].Name = fmt.Sprintf("%s-%d", name, n)
		}
		taken[sources[i].Name] = true
	}
}

func builtIn(cfg config.Repository, others []policy.Source) bool {
	if cfg.Policy.Builtin != nil {
		return *cfg.Policy.Builtin
	}
	return !slices.ContainsFunc(others, func(s policy.Source) bool { return !s.Data })
}

// without leaves out the policies that the configuration disables. Each has a directory, whose name
// begins with its id.
func without(s policy.Source, disabled []string) policy.Source {
	s.Files = slices.DeleteFunc(slices.Clone(s.Files), func(f policy.File) bool {
		return slices.ContainsFunc(disabled, func(id string) bool {
			return slices.ContainsFunc(strings.Split(path.Dir(f.Path), "/"), func(dir string) bool {
				return strings.EqualFold(dir, id) || len(dir) > len(id) && strings.EqualFold(dir[:len(id)+1], id+"-")
			})
		})
	})
	return s
}

// withRego are the conventional directories of a tree that hold policies.
func withRego(t *source.Tree) []string {
	var dirs []string
	for _, dir := range conventional {
		files, err := readTree(t, dir)
		if err == nil && slices.ContainsFunc(files, func(f policy.File) bool { return path.Ext(f.Path) == ".rego" }) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// readTree reads the policy files below a directory of a tree, or the one file of that name.
func readTree(t *source.Tree, dir string) ([]policy.File, error) {
	dir = path.Clean(dir)
	info, err := t.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		data, err := t.ReadFile(dir)
		return []policy.File{{Path: path.Base(dir), Data: data}}, err
	}
	below, err := fs.Sub(t, dir)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	return ReadPolicies(below)
}

// ReadPolicies reads all files below a directory that may be a part of its policies.
func ReadPolicies(dir fs.FS) ([]policy.File, error) {
	var files []policy.File
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !IsPolicyFile(name) {
			return err
		}
		data, err := fs.ReadFile(dir, name)
		files = append(files, policy.File{Path: name, Data: data})
		return err
	})
	return files, err
}

// notes say what a reviewer should know beside the plan. A change to the gate itself does not judge
// itself, and a configured path that matches nothing is likely a mistake.
func notes(t trees, cfg config.Repository, unmatched []string) []string {
	var out []string
	for _, path := range unmatched {
		out = append(out, "The configured path "+path+" matches no application.")
	}
	if t.base.ID(ConfigFile) != t.head.ID(ConfigFile) {
		out = append(out, "This change edits "+ConfigFile+". It is planned with the base branch's; the new one counts after the merge.")
	}
	dirs := slices.Concat(conventional, cfg.Policy.Paths, cfg.Policy.Data)
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		if t.base.ID(path.Clean(dir)) != t.head.ID(path.Clean(dir)) {
			out = append(out, "This change edits policies in "+path.Clean(dir)+". It is judged by the base branch's; the new ones count after the merge.")
		}
	}
	return out
}
