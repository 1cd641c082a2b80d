// Package githubsim is a local GitHub: REST, git over HTTP, App authentication, pull requests, checks, comments,
// branch protection and webhooks over real bare repositories. It is for tests and the demo and is not part of the
// product's program.
//
// It knows GitHub's documented behaviour, limits and error texts. It must not know who its client is: it imports
// nothing of this module outside its own directory.
//
// All metadata lives in memory under one lock; the git repositories are on disk. A request is logged, may be hit by
// an injected fault, is authenticated, routed, checked against the permission table in routes.go, handled under the
// lock, and answered. Events become webhook deliveries in the order in which they happened.
//
// Where GitHub's behaviour is not documented, the code says "unverified".
package githubsim
