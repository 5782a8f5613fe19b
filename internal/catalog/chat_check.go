package catalog

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func checkChat(in ChatServiceInput) []Problem {
	problems := checkService(in.ServiceInput)
	database := orZero(in.Neo4j)
	elsewhere := database.PipelineID != nil || !or(database.Enabled, true)
	database.Enabled, database.PipelineID = nil, nil
	switch {
	case in.ownNeo4j():
		problems = append(problems, checkNeo4j(database.Neo4jInput)...)
	case elsewhere && !isZero(database):
		problems = append(problems, Problem{"neo4j", "pipeline_id and enabled = false mean that the service has no Neo4j of its own, so nothing else can be set there"})
	case in.Neo4j.PipelineID != nil && in.Neo4j.Enabled != nil:
		problems = append(problems, Problem{"neo4j.enabled", "it has no meaning next to pipeline_id"})
	}
	if id := orZero(in.Neo4j).PipelineID; id != nil {
		if other, err := contract.ParseID(*id); err != nil {
			problems = append(problems, Problem{"neo4j.pipeline_id", err.Error()})
		} else if other.Kind != contract.DatabasePipeline.Short && other.Kind != contract.ChatService.Short {
			problems = append(problems, Problem{"neo4j.pipeline_id", fmt.Sprintf("%q has no Neo4j: it takes the id of an orch_%s", *id, contract.DatabasePipeline.Name)})
		}
	}
	for _, name := range sorted(in.Ports) {
		if strings.HasPrefix(name, Neo4jName+"_") {
			problems = append(problems, Problem{"ports." + name, "names that begin with neo4j_ are those of Neo4j's endpoints"})
		}
	}
	return append(problems, in.Cloudflare.problems()...)
}

// isZero reports whether nothing is set.
func isZero(in ChatNeo4jInput) bool {
	return in.Container == Container{} && in.HTTPPort == nil && in.BoltPort == nil && in.HeapMB == nil && in.PageCacheMB == nil &&
		in.Plugins == nil && in.PasswordVersion == nil
}

var (
	accountPattern = regexp.MustCompile(`^[0-9a-f]{32}$`)
	domainPattern  = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9-]{2,63}$`)
)

func (c *CloudflareInput) problems() []Problem {
	if c == nil {
		return nil
	}
	problems := c.tokenProblems()
	if c.APIURL != nil {
		problems = append(problems, checkURL("cloudflare.api_url", *c.APIURL)...)
	}
	if c.AccountID != nil && !accountPattern.MatchString(*c.AccountID) {
		problems = append(problems, Problem{"cloudflare.account_id", fmt.Sprintf("%q is not an account's id, 32 hexadecimal digits", *c.AccountID)})
	}
	if c.Zone != nil && !domainPattern.MatchString(*c.Zone) {
		problems = append(problems, Problem{"cloudflare.zone", fmt.Sprintf("%q is not a domain name such as example.com", *c.Zone)})
	}
	record, zone := strings.ToLower(or(c.Record, "")), strings.ToLower(or(c.Zone, ""))
	switch {
	case c.Record == nil && c.RecordContent != nil:
		problems = append(problems, Problem{"cloudflare.record_content", "it needs record"})
	case c.Record == nil:
	case c.Zone == nil:
		problems = append(problems, Problem{"cloudflare.record", "it needs zone"})
	case !domainPattern.MatchString(record) || record != zone && !strings.HasSuffix(record, "."+zone):
		problems = append(problems, Problem{"cloudflare.record", fmt.Sprintf("%q is not a name in zone %s", *c.Record, *c.Zone)})
	}
	if c.Tunnel != nil && c.AccountID == nil {
		problems = append(problems, Problem{"cloudflare.tunnel", "it needs account_id"})
	}
	if c.Tunnel != nil && strings.TrimSpace(*c.Tunnel) == "" {
		problems = append(problems, Problem{"cloudflare.tunnel", "it is empty; it takes a tunnel's name or ID"})
	}
	return problems
}

func (c *CloudflareInput) tokenProblems() []Problem {
	t := orZero(c.Token)
	switch {
	case c.TokenVersion == nil && c.Token == nil:
		return []Problem{{"cloudflare.token", "either token or token_wo with token_wo_version must be set"}}
	case c.TokenVersion != nil && c.Token != nil:
		return []Problem{{"cloudflare.token", "only one of token and token_wo can be set"}}
	case c.Token == nil:
		return nil
	case (t.Env == nil) == (t.File == nil):
		return []Problem{{"cloudflare.token", "exactly one of env and file must be set"}}
	case t.Env != nil && !envPattern.MatchString(*t.Env):
		return []Problem{{"cloudflare.token.env", fmt.Sprintf("%q is not the name of an environment variable", *t.Env)}}
	case t.File != nil && !path.IsAbs(*t.File):
		return []Problem{{"cloudflare.token.file", fmt.Sprintf("%q is not an absolute path on the worker's host", *t.File)}}
	}
	return nil
}
