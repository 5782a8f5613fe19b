package railway

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// operations are the root fields that the double knows.
func (s *state) operations() map[string]field {
	const query, mutation = ast.Query, ast.Mutation
	return map[string]field{
		"apiToken":                 define(query, s.apiToken),
		"projectToken":             define(query, s.projectToken),
		"projects":                 define(query, s.listProjects),
		"project":                  define(query, s.readProject),
		"projectCreate":            define(mutation, s.createProject),
		"projectDelete":            define(mutation, s.deleteProject),
		"environments":             define(query, s.listEnvironments),
		"environmentCreate":        define(mutation, s.createEnvironment),
		"serviceCreate":            define(mutation, s.createService),
		"serviceConnect":           define(mutation, s.connect),
		"serviceDelete":            define(mutation, s.deleteService),
		"serviceInstance":          define(query, s.readInstance),
		"serviceInstanceUpdate":    define(mutation, s.updateInstance),
		"variables":                define(query, s.readVariables),
		"variableCollectionUpsert": define(mutation, s.upsertVariables),
		"serviceInstanceDeployV2":  define(mutation, s.deployInstance),
		"deployment":               define(query, s.readDeployment),
		"deployments":              define(query, s.listDeployments),
		"deploymentRollback":       define(mutation, s.rollback),
		"deploymentCancel":         define(mutation, s.cancel),
		"buildLogs":                define(query, s.buildLogs),
		"deploymentLogs":           define(query, s.runLogs),
		"domains":                  define(query, s.listDomains),
		"serviceDomainCreate":      define(mutation, s.createDomain),
		"serviceDomainUpdate":      define(mutation, s.updateDomain),
	}
}

func (s *state) apiToken(none) (any, error) {
	if !s.caller.account {
		return nil, fail(notAuthorized)
	}
	rows := []object{}
	for _, w := range s.cfg.Workspaces {
		rows = append(rows, object{typename: "ApiTokenWorkspace", "id": w.ID, "name": w.Name})
	}
	return object{typename: "ApiTokenContext", "workspaces": rows}, nil
}

func (s *state) projectToken(none) (any, error) {
	if s.caller.account {
		return nil, fail(noProjectToken)
	}
	t := s.caller.project
	return object{typename: "ProjectToken", "projectId": t.ProjectID, "environmentId": t.EnvironmentID}, nil
}

func (s *state) listProjects(in projectsArgs) (any, error) {
	if !s.caller.account {
		return nil, fail(notAuthorized)
	}
	rows := []object{}
	for _, p := range s.projects {
		gone := p.deletedAt != nil && !s.now().Before(p.deletedAt.Add(s.cfg.DeletionTime))
		if !gone && (in.WorkspaceID == "" || in.WorkspaceID == p.workspaceID) {
			rows = append(rows, p.object())
		}
	}
	return paged(rows, page{in.First, in.After})
}

func (s *state) readProject(in byID) (any, error) {
	p, err := s.project(in.ID)
	if err != nil {
		return nil, err
	}
	return p.object(), nil
}

func (s *state) listEnvironments(in environmentsArgs) (any, error) {
	p, err := s.live(in.ProjectID)
	if err != nil {
		return nil, err
	}
	rows := []object{}
	for _, e := range p.environments {
		rows = append(rows, e.object())
	}
	return paged(rows, page{in.First, in.After})
}

func (s *state) readInstance(in instanceArgs) (any, error) {
	i, err := s.instance(in.ServiceID, in.EnvironmentID)
	if err != nil {
		return nil, err
	}
	p, svc, err := s.service(in.ServiceID)
	if err != nil {
		return nil, err
	}
	source := object{typename: "ServiceSource", "image": orNil(i.settings.image), "repo": orNil(i.settings.repo)}
	if i.settings.image == "" && i.settings.repo == "" {
		source = nil
	}
	return object{
		typename: "ServiceInstance", "source": source, "service": svc.object(p),
		"startCommand": i.settings.startCommand, "region": i.settings.region, "numReplicas": i.settings.numReplicas,
		"healthcheckPath": i.settings.healthcheckURL, "healthcheckTimeout": i.settings.healthcheckTimeout,
		"restartPolicyType": i.settings.restartPolicyType, "restartPolicyMaxRetries": i.settings.restartPolicyMaxRetries,
	}, nil
}

func (s *state) listDomains(in domainsArgs) (any, error) {
	i, err := s.instance(in.ServiceID, in.EnvironmentID)
	if err != nil {
		return nil, err
	}
	rows := []object{}
	for _, d := range i.domains {
		rows = append(rows, d.object())
	}
	return object{typename: "AllDomains", "serviceDomains": rows, "customDomains": []object{}}, nil
}

func (p *project) object() object {
	return object{
		typename: "Project", "id": p.id, "name": p.name, "description": orNil(p.description), "workspaceId": p.workspaceID,
		"deletedAt": stampOrNil(p.deletedAt),
		"services": nested(define(ast.Query, func(in page) (any, error) {
			rows := []object{}
			for _, svc := range p.services {
				rows = append(rows, svc.object(p))
			}
			return paged(rows, in)
		})),
	}
}

func (e *environment) object() object {
	return object{typename: "Environment", "id": e.id, "name": e.name, "deletedAt": nil}
}

func (svc *service) object(p *project) object {
	return object{
		typename: "Service", "id": svc.id, "name": svc.name, "projectId": p.id, "deletedAt": nil,
		"repoTriggers": nested(define(ast.Query, func(in page) (any, error) {
			rows := []object{}
			for environmentID, i := range svc.instances {
				if i.settings.repo != "" {
					rows = append(rows, object{typename: "DeploymentTrigger", "environmentId": environmentID, "repository": i.settings.repo, "branch": i.branch})
				}
			}
			return paged(rows, in)
		})),
	}
}

func (d *deployment) object() object {
	return object{
		typename: "Deployment", "id": d.id, "status": d.status, "createdAt": stamp(d.createdAt), "deploymentStopped": d.stopped,
		"canRollback": d.canRollback(),
	}
}

func (d domain) object() object {
	return object{typename: "ServiceDomain", "id": d.id, "domain": d.name, "targetPort": d.targetPort}
}

// maxPage is the most rows of one answer.
const maxPage = 100

// paged is the part of rows that was asked for, as a connection.
func paged(rows []object, in page) (any, error) {
	from, size := 0, maxPage
	if in.After != nil && *in.After != "" {
		raw, err := base64.StdEncoding.DecodeString(*in.After)
		if err != nil {
			return nil, fail("Invalid cursor")
		}
		if from, err = strconv.Atoi(strings.TrimPrefix(string(raw), "row:")); err != nil {
			return nil, fail("Invalid cursor")
		}
	}
	if in.First != nil {
		size = min(size, *in.First)
	}
	from = min(from, len(rows))
	to := min(from+size, len(rows))
	edges := []object{}
	for _, row := range rows[from:to] {
		edges = append(edges, object{typename: "Edge", "node": row, "cursor": row["id"]})
	}
	end := base64.StdEncoding.EncodeToString([]byte("row:" + strconv.Itoa(to)))
	return object{typename: "Connection", "edges": edges, "pageInfo": object{
		typename: "PageInfo", "hasNextPage": to < len(rows), "hasPreviousPage": from > 0, "startCursor": nil, "endCursor": end,
	}}, nil
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func stampOrNil(at *time.Time) any {
	if at == nil {
		return nil
	}
	return stamp(*at)
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}
