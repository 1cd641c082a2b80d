package oracle

import (
	"encoding/json"
	"fmt"
	"strings"
)

// exception is one place where the description, or the library that reads it, is wrong.
type exception struct {
	// where is the start of the operation's or webhook's name; empty means everywhere.
	where string
	// text is a part of the violation.
	text string
	why  string
}

// exceptions is the whole allow-list. It stays short: each entry says why GitHub itself answers so.
func exceptions() []exception {
	return []exception{
		{
			where: "request POST /app/installations/{installation_id}/access_tokens", text: "Value is not nullable",
			why: "ghinstallation sends a body of null when it wants the whole installation, and GitHub takes it",
		},
		{
			where: "request PUT /repos/{owner}/{repo}/branches/{branch}/protection", text: `property "contexts" is missing`,
			why: "contexts is deprecated in favour of checks, and GitHub takes one without the other",
		},
		{
			where: "", text: `/head/repo": Value is not nullable`,
			why: "the head of a pull request whose fork was deleted has no repository",
		},
		{
			where: "request POST /repos/{owner}/{repo}/issues/{issue_number}/labels", text: "value must be an object",
			why: "GitHub takes a bare list of names as well, and clients send it",
		},
		{
			where: "webhook check-suite-", text: `Error at "/check_suite/app/events/`,
			why: "the list of an App's possible events lacks newer ones, such as merge_group",
		},
		{
			where: "GET /app/installations -> 200", text: `Error at "/0/account"`,
			why: "the list's account is all of user and enterprise, where a single installation's is any of them",
		},
	}
}

func allowed(name string, err error) bool {
	for _, e := range exceptions() {
		if strings.HasPrefix(name, e.where) && strings.Contains(err.Error(), e.text) {
			return true
		}
	}
	return false
}

// brief cuts the schema and value dumps from a validation error.
func brief(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\nSchema:")
	if len(text) > 1500 {
		text = text[:1500] + "..."
	}
	return text
}

func decode(body []byte) (any, error) {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return nil, fmt.Errorf("error body is not JSON: %w", err)
	}
	return value, nil
}

func actionOf(body []byte) string {
	var payload struct {
		Action string `json:"action"`
	}
	if err := json.Unmarshal(body, &payload); err != nil {
		return "" // validation reports the broken payload
	}
	return payload.Action
}
