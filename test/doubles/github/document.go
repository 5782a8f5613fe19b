package github

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

func origin(r *http.Request) string { return "http://" + r.Host }

// links are the addresses that GitHub puts into a repository's document, below the address of the repository in the API.
var links = []string{
	"archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents", "contributors",
	"deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks", "issue_comment", "issue_events",
	"issues", "keys", "labels", "languages", "merges", "milestones", "notifications", "pulls", "releases", "stargazers", "statuses",
	"subscribers", "subscription", "tags", "teams", "trees",
}

// document is the repository as GitHub answers it, with every field that its schema requires.
func (r *repository) document(origin string) map[string]any {
	api, page := origin+"/repos/"+r.fullName(), origin+"/"+r.fullName()
	host := strings.TrimPrefix(origin, "http://")
	created := r.created.Format(time.RFC3339)
	doc := map[string]any{
		"id": r.id, "node_id": fmt.Sprintf("R_%d", r.id), "name": r.name, "full_name": r.fullName(), "private": r.private,
		"owner": simpleUser(origin, r.owner), "description": r.description, "fork": false, "url": api, "html_url": page, "svn_url": page,
		"clone_url": page + ".git", "git_url": "git://" + host + "/" + r.fullName() + ".git", "ssh_url": "git@" + host + ":" + r.fullName() + ".git",
		"default_branch": r.defaultBranch, "homepage": nil, "language": nil, "mirror_url": nil, "license": nil,
		"archived": r.archived, "disabled": false, "has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_discussions": false,
		"created_at": created, "updated_at": created, "pushed_at": created,
	}
	for _, count := range []string{
		"forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers", "watchers_count", "network_count", "subscribers_count",
	} {
		doc[count] = 0
	}
	for _, link := range links {
		doc[link+"_url"] = api + "/" + link
	}
	return doc
}

// simpleUser is a user as GitHub answers it within another document.
func simpleUser(origin, login string) map[string]any {
	api := origin + "/users/" + login
	doc := map[string]any{
		"login": login, "id": 1, "node_id": "U_1", "gravatar_id": "", "url": api, "html_url": origin + "/" + login,
		"avatar_url": origin + "/avatars/" + login, "type": "User", "site_admin": false, "user_view_type": "public",
	}
	for _, link := range []string{"events", "followers", "following", "gists", "organizations", "received_events", "repos", "starred", "subscriptions"} {
		doc[link+"_url"] = api + "/" + link
	}
	return doc
}

// account is a user as GitHub answers it to the token's own.
func account(origin, login string) map[string]any {
	doc := simpleUser(origin, login)
	for _, empty := range []string{"company", "blog", "location", "email", "hireable", "bio"} {
		doc[empty] = nil
	}
	for _, count := range []string{"public_repos", "public_gists", "followers", "following"} {
		doc[count] = 0
	}
	doc["name"], doc["created_at"], doc["updated_at"] = login, "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
	return doc
}
