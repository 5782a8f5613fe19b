package buildcontext

import (
	"regexp"
	"strings"
)

// gitSuffix is how an HTTP URL of a repository ends: "….git", "….git#ref" or "….git#ref:folder".
var gitSuffix = regexp.MustCompile(`\.git(?:#.*)?$`)

// IsGit reports whether a context is the URL of a Git repository, by Docker's own rules: https://….git, git://…, git@…:…
// and github.com/…, each with an optional #ref:folder. The engine fetches such a context, nobody reads it here.
func IsGit(context string) bool {
	if isHTTP(context) {
		return gitSuffix.MatchString(context)
	}
	for _, prefix := range []string{"git://", "git@", "github.com/"} {
		if strings.HasPrefix(context, prefix) {
			return true
		}
	}
	return false
}

func isHTTP(context string) bool {
	return strings.HasPrefix(context, "https://") || strings.HasPrefix(context, "http://")
}
