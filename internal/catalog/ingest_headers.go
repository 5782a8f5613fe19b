package catalog

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// headerName is a token of HTTP.
var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")

// ownHeaders are those that every request of an ingest has anyway.
var ownHeaders = []string{"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Host", "Trailer", "Transfer-Encoding", "User-Agent"}

// secretHeaders are parts of names whose values are secrets.
var secretHeaders = []string{"Authorization", "Cookie", "Token", "Secret", "Password", "Key"}

func (h HeaderInput) header() contract.IngestHeader {
	if h.Env == nil && h.File == nil {
		return contract.IngestHeader{Value: or(h.Value, "")}
	}
	return contract.IngestHeader{Secret: &contract.SecretSource{Env: or(h.Env, ""), File: or(h.File, "")}}
}

func checkHeaders(headers map[string]HeaderInput) []Problem {
	var problems []Problem
	seen := map[string]string{}
	for _, name := range sorted(headers) {
		canonical := http.CanonicalHeaderKey(name)
		if other, twice := seen[canonical]; twice {
			problems = append(problems, Problem{"headers", fmt.Sprintf("%q and %q are the same header", other, name)})
		}
		seen[canonical] = name
		if message := headers[name].problem(canonical); message != "" {
			problems = append(problems, Problem{"headers", fmt.Sprintf("header %q: %s", name, message)})
		}
	}
	return problems
}

// problem says what is wrong with a header, or nothing.
func (h HeaderInput) problem(name string) string {
	ways := 0
	for _, way := range []*string{h.Value, h.Env, h.File} {
		if way != nil {
			ways++
		}
	}
	part := func(part string) bool { return strings.Contains(strings.ToLower(name), strings.ToLower(part)) }
	switch {
	case !headerName.MatchString(name):
		return "that is not the name of a header"
	case slices.Contains(ownHeaders, name):
		return "it is set by orch"
	case ways != 1:
		return "exactly one of value, env and file must be set"
	case h.Value != nil && slices.ContainsFunc(secretHeaders, part):
		return "its value would stand in plan, state and history: put it into a variable of the worker's environment or a file on its host, and name that in env or file"
	case h.Value != nil && strings.ContainsAny(*h.Value, "\r\n\x00"):
		return "a value has one line"
	case h.Value == nil:
		for _, problem := range (&TokenInput{Env: h.Env, File: h.File}).check("") {
			return problem.Message
		}
	}
	return ""
}
