package githubsim_test

import (
	"strings"
	"testing"

	"github.com/mergegate/mergegate/internal/githubsim"
)

func TestParseSeed(t *testing.T) {
	const user = "users: [{login: a}]\n"
	for name, tt := range map[string]struct{ in, want string }{
		"empty":               {"", ""},
		"JSON":                {`{"users":[{"login":"a"}]}`, ""},
		"unknown key":         {"users: [{login: a, mail: x}]", "field mail not found"},
		"two documents":       {user + "---\nusers: []\n", "more than one document"},
		"unknown type":        {"users: [{login: a, type: Robot}]", `type "Robot"`},
		"same user":           {"users: [{login: a}, {login: A}]", "twice"},
		"unknown owner":       {"repositories: [{owner: x, name: y}]", "owner is not in users"},
		"slash in name":       {user + "repositories: [{owner: a, name: b/c}]", "slash"},
		"unknown role":        {user + "repositories: [{owner: a, name: b, collaborators: {a: owner}}]", `role "owner"`},
		"files and directory": {user + "repositories: [{owner: a, name: b, from: x, files: {c: d}}]", "exclude each other"},
		"no branch":           {user + "repositories: [{owner: a, name: b, protection: [{strict: true}]}]", "branch is missing"},
		"no App id":           {user + "apps: [{slug: s, owner: a}]", "id and slug are required"},
		"same App id":         {user + "apps: [{id: 1, slug: s, owner: a}, {id: 1, slug: t, owner: a}]", "twice"},
		"unknown access":      {user + "apps: [{id: 1, slug: s, owner: a, permissions: {checks: all}}]", `checks: "all"`},
		"unknown account":     {user + "apps: [{id: 1, slug: s, owner: a, installations: [{account: z}]}]", `account "z"`},
	} {
		_, err := githubsim.ParseSeed([]byte(tt.in))
		if (tt.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestNewRefusals(t *testing.T) {
	seed, err := githubsim.ParseSeed([]byte("users: [{login: a}]\nrepositories: [{owner: a, name: b, fork_of: a/c}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := githubsim.New(githubsim.Config{Dir: t.TempDir(), Seed: seed}); err == nil || !strings.Contains(err.Error(), "fork_of a/c") {
		t.Errorf("a fork of nothing: %v", err)
	}
	if _, err := githubsim.New(githubsim.Config{}); err == nil {
		t.Error("no directory was accepted")
	}
}
