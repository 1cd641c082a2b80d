package githubsim

// table lists every REST operation with the permission that GitHub documents for it. It is written by hand: no
// machine-readable source was found that is both complete and current.
func table() []route {
	var all []route
	for _, part := range [][]route{appRoutes(), pullRoutes(), commentRoutes(), checkRoutes(), contentRoutes(), settingRoutes()} {
		all = append(all, part...)
	}
	return all
}

func appRoutes() []route {
	app, token, any := need{other: onApp}, need{other: onInstallation}, need{other: onAnything}
	return []route{
		{"GET", "/app", app, getApp},
		{"GET", "/app/installations", app, listInstallations},
		{"GET", "/app/installations/{id}", app, getInstallation},
		{"POST", "/app/installations/{id}/access_tokens", app, mintToken},
		{"GET", "/app/hook/config", app, getHookConfig},
		{"PATCH", "/app/hook/config", app, patchHookConfig},
		{"GET", "/app/hook/deliveries", app, listDeliveries},
		{"GET", "/app/hook/deliveries/{id}", app, getDelivery},
		{"POST", "/app/hook/deliveries/{id}/attempts", app, redeliver},
		{"DELETE", "/installation/token", token, revokeToken},
		{"GET", "/installation/repositories", token, listInstallationRepositories},
		{"GET", "/repos/{owner}/{repo}/installation", need{app: "jwt", person: levelApps}, getRepositoryInstallation},
		{"GET", "/orgs/{org}/installation", app, getAccountInstallation},
		{"GET", "/rate_limit", any, getRateLimit},
		{"GET", "/meta", any, getMeta},
		{"GET", "/users/{login}", any, getUser},
		{"POST", "/graphql", any, graphql},
	}
}

func pullRoutes() []route {
	read := need{app: "pull_requests=read", person: levelRead}
	write := need{app: "pull_requests=write", person: levelRead}
	merge := need{app: "contents=write", person: levelWrite}
	const pull = "/repos/{owner}/{repo}/pulls/{number}"
	return []route{
		{"GET", "/repos/{owner}/{repo}/pulls", read, listPulls},
		{"POST", "/repos/{owner}/{repo}/pulls", write, createPull},
		{"GET", pull, read, getPull},
		{"PATCH", pull, write, patchPull},
		{"GET", pull + "/files", read, listPullFiles},
		{"GET", pull + "/commits", read, listPullCommits},
		{"PUT", pull + "/merge", merge, mergePull},
		{"GET", pull + "/reviews", read, listReviews},
		{"POST", pull + "/reviews", write, createReview},
		{"PUT", pull + "/reviews/{id}/dismissals", write, dismissReview},
		{"GET", "/repos/{owner}/{repo}/commits/{ref...}/pulls", need{app: "pull_requests=read; contents=read", person: levelRead}, listCommitPulls},
	}
}

func commentRoutes() []route {
	read := need{app: "issues=read; pull_requests=read", person: levelRead}
	// A comment on a pull request needs pull_requests; issues=write alone is refused.
	write := need{app: "pull_requests=write", person: levelRead}
	react := need{app: "issues=write; pull_requests=write", person: levelRead}
	tag := need{app: "issues=write; pull_requests=write", person: levelTriage}
	const one = "/repos/{owner}/{repo}/issues/comments/{id}"
	const issue = "/repos/{owner}/{repo}/issues/{number}"
	return []route{
		{"GET", one, read, getComment},
		{"PATCH", one, write, patchComment},
		{"DELETE", one, write, deleteComment},
		{"GET", one + "/reactions", read, listReactions},
		{"POST", one + "/reactions", react, createReaction},
		{"DELETE", one + "/reactions/{reaction}", react, deleteReaction},
		{"GET", issue + "/comments", read, listComments},
		{"POST", issue + "/comments", write, createComment},
		{"GET", issue + "/labels", read, listLabels},
		{"POST", issue + "/labels", tag, addLabels},
		{"DELETE", issue + "/labels/{name}", tag, removeLabel},
	}
}

func checkRoutes() []route {
	read := need{app: "checks=read", person: levelRead}
	write := need{app: "checks=write", person: levelApps}
	rerun := need{app: "checks=write", person: levelWrite}
	const run = "/repos/{owner}/{repo}/check-runs/{id}"
	return []route{
		{"POST", "/repos/{owner}/{repo}/check-runs", write, createCheckRun},
		{"GET", run, read, getCheckRun},
		{"PATCH", run, write, patchCheckRun},
		{"GET", run + "/annotations", read, listAnnotations},
		{"POST", run + "/rerequest", rerun, rerequestCheckRun},
		{"GET", "/repos/{owner}/{repo}/commits/{ref...}/check-runs", read, listCheckRuns},
		{"GET", "/repos/{owner}/{repo}/commits/{ref...}/check-suites", read, listCheckSuites},
		{"POST", "/repos/{owner}/{repo}/check-suites", write, createCheckSuite},
		{"POST", "/repos/{owner}/{repo}/check-suites/{id}/rerequest", rerun, rerequestCheckSuite},
		{"POST", "/repos/{owner}/{repo}/statuses/{sha}", need{app: "statuses=write", person: levelWrite}, createStatus},
		{"GET", "/repos/{owner}/{repo}/commits/{ref...}/status", need{app: "statuses=read", person: levelRead}, getCombinedStatus},
	}
}

func contentRoutes() []route {
	read := need{app: "contents=read", person: levelRead}
	return []route{
		{"GET", "/repos/{owner}/{repo}/commits/{ref...}", read, getCommit},
		{"GET", "/repos/{owner}/{repo}/compare/{basehead...}", read, compare},
		{"GET", "/repos/{owner}/{repo}/contents/{path...}", read, getContents},
		{"GET", "/repos/{owner}/{repo}/git/ref/{ref...}", read, getRef},
		{"GET", "/repos/{owner}/{repo}/git/matching-refs/{ref...}", read, listMatchingRefs},
		{"GET", "/repos/{owner}/{repo}/git/trees/{sha...}", read, getTree},
	}
}

func settingRoutes() []route {
	metadata := need{app: "metadata=read", person: levelRead}
	return []route{
		{"GET", "/repos/{owner}/{repo}", metadata, getRepository},
		{"GET", "/repos/{owner}/{repo}/collaborators/{login}/permission", metadata, getCollaboratorPermission},
		{"GET", "/repos/{owner}/{repo}/collaborators/{login}", metadata, isCollaborator},
		{"GET", "/repos/{owner}/{repo}/branches/{branch...}/protection", need{app: "administration=read", person: levelAdmin}, getProtection},
		{"PUT", "/repos/{owner}/{repo}/branches/{branch...}/protection", need{app: "administration=write", person: levelAdmin}, putProtection},
		{"GET", "/repos/{owner}/{repo}/branches/{branch...}", need{app: "contents=read", person: levelRead}, getBranch},
		{"GET", "/repos/{owner}/{repo}/rules/branches/{branch...}", metadata, listBranchRules},
		{"GET", "/repos/{owner}/{repo}/rulesets", metadata, listRulesets},
	}
}
