// Package pull says what a pull request is, as values. It knows nothing of GitHub's API.
package pull

import "strconv"

// Repository is a repository as the platform names it. ID is what identifies it: names are reusable.
type Repository struct {
	ID             int64
	InstallationID int64 // the App installation through which it is reached
	Owner          string
	Name           string
	DefaultBranch  string
	CloneURL       string // https URL without credentials
}

// FullName is owner/name.
func (r Repository) FullName() string { return r.Owner + "/" + r.Name }

// User is an account. ID is what identifies it: logins are reusable.
type User struct {
	ID    int64
	Login string
	Bot   bool
}

// State is whether a pull request is open.
type State string

// The states of a pull request.
const (
	Open   State = "open"
	Closed State = "closed"
	Merged State = "merged"
)

// Request is a pull request at one moment.
type Request struct {
	Repository Repository
	Number     int
	Title      string
	Author     User
	State      State
	Draft      bool
	BaseRef    string // branch name, without refs/heads/
	BaseSHA    string // the base branch's tip as the platform last told it; may lag
	HeadRef    string // branch name in the head repository
	HeadSHA    string
	// Fork is true when the head is in another repository, and when that repository is gone.
	Fork   bool
	Labels []string
}

// Ref is where the base repository serves the pull request's head.
func (r Request) Ref() string { return "refs/pull/" + strconv.Itoa(r.Number) + "/head" }
