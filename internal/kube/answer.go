package kube

import "strings"

// Deliberate says whether an error that a server gives under a status for its own faults, or for a
// conflict, is its answer to the object all the same: asked again, it would say so again. It has no
// better status for what server-side apply cannot merge or convert, and webhooks choose theirs freely.
func Deliberate(code int, message string) bool {
	if code == 409 {
		return strings.Contains(message, "denied the request")
	}
	if code != 500 || strings.Contains(message, "conversion webhook") {
		return false
	}
	for _, sign := range []string{"failed to create typed ", "failed to convert new ", "failed to convert to unversioned", "failed to convert live object"} {
		if strings.Contains(message, sign) {
			return true
		}
	}
	return false
}
