package github

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var objectID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// commit answers a commit as git itself reads it.
func (s *Server) commit(w http.ResponseWriter, r *http.Request) {
	repo, sha := s.find(r.PathValue("owner"), r.PathValue("repo")), r.PathValue("sha")
	if repo == nil || !objectID.MatchString(sha) {
		s.refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	raw, err := exec.CommandContext(r.Context(), "git", "-C", repo.dir, "cat-file", "commit", sha).Output()
	if err != nil {
		s.refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	page := origin(r) + "/" + repo.fullName()
	api := origin(r) + "/repos/" + repo.fullName() + "/git"
	head, message, _ := bytes.Cut(raw, []byte("\n\n"))
	doc := map[string]any{
		"sha": sha, "node_id": "C_" + sha, "url": api + "/commits/" + sha, "html_url": page + "/commit/" + sha, "message": strings.TrimSuffix(string(message), "\n"),
		"verification": map[string]any{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil},
	}
	parents := []any{}
	for line := range strings.Lines(string(head)) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch field {
		case "tree":
			doc["tree"] = map[string]any{"sha": value, "url": api + "/trees/" + value}
		case "parent":
			parents = append(parents, map[string]any{"sha": value, "url": api + "/commits/" + value, "html_url": page + "/commit/" + value})
		case "author", "committer":
			doc[field] = person(value)
		}
	}
	doc["parents"] = parents
	s.answer(w, http.StatusOK, doc)
}

var personLine = regexp.MustCompile(`^(.*) <(.*)> (\d+) [-+]\d{4}$`)

func person(line string) map[string]any {
	match := personLine.FindStringSubmatch(line)
	if match == nil {
		return map[string]any{"name": line, "email": "", "date": time.Unix(0, 0).UTC().Format(time.RFC3339)}
	}
	seconds, err := strconv.ParseInt(match[3], 10, 64)
	if err != nil {
		return map[string]any{"name": line, "email": "", "date": fmt.Sprint(err)}
	}
	return map[string]any{"name": match[1], "email": match[2], "date": time.Unix(seconds, 0).UTC().Format(time.RFC3339)}
}
