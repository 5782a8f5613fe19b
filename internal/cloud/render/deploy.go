package render

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
)

// element is one field of a list's element: the thing, or the cursor, which is a string.
type element[T any] struct {
	value  T
	cursor string
}

// UnmarshalJSON implements json.Unmarshaler.
func (e *element[T]) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &e.cursor) == nil {
		return nil
	}
	return json.Unmarshal(data, &e.value)
}

// Deploy is one deploy of a service.
type Deploy struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	// Trigger is why it was made, for example "api", "manual" or "rollback".
	Trigger   string `json:"trigger"`
	CreatedAt string `json:"createdAt"`
	// Commit is what was built, and Image what was pulled: one of them is set.
	Commit *struct {
		ID string `json:"id"`
	} `json:"commit"`
	Image *struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	} `json:"image"`
}

// CommitID is the commit that was built, or empty.
func (d Deploy) CommitID() string {
	if d.Commit == nil {
		return ""
	}
	return d.Commit.ID
}

// ImageRef is the image that was pulled, or empty.
func (d Deploy) ImageRef() string {
	if d.Image == nil {
		return ""
	}
	return d.Image.Ref
}

// Phase is what a deploy's status comes to.
type Phase int

// Phases of a deploy.
const (
	// Running: it is under way.
	Running Phase = iota
	// Live: it is what answers.
	Live
	// Superseded: it was live, until a newer one was.
	Superseded
	// Failed: it ended without having been live.
	Failed
)

// Phase tells what the status comes to. A word that Render adds later counts as under way, and the wait for it is bounded.
func (d Deploy) Phase() Phase {
	switch d.Status {
	case "live":
		return Live
	case "deactivated":
		return Superseded
	case "build_failed", "pre_deploy_failed", "update_failed", "canceled":
		return Failed
	default:
		return Running
	}
}

// Deploys lists the newest deploys of a service, newest first, at most one page of them.
func (c *Client) Deploys(ctx context.Context, id string) ([]Deploy, error) {
	var page []struct {
		Deploy Deploy `json:"deploy"`
	}
	_, err := c.api.Do(ctx, cloud.Request{
		Method: http.MethodGet, Path: "/services/" + url.PathEscape(id) + "/deploys", Query: url.Values{"limit": {strconv.Itoa(perPage)}},
	}, &page)
	all := make([]Deploy, 0, len(page))
	for _, one := range page {
		all = append(all, one.Deploy)
	}
	return all, err
}

// Deploy reads one deploy.
func (c *Client) Deploy(ctx context.Context, id, deploy string) (Deploy, error) {
	var out Deploy
	_, err := c.api.Do(ctx, cloud.Request{Method: http.MethodGet, Path: "/services/" + url.PathEscape(id) + "/deploys/" + url.PathEscape(deploy)}, &out)
	return out, err
}

// StartDeploy deploys the service as it is configured, for a repository at the given commit. The deploy is nil when Render
// has only queued it: the list shows it then.
func (c *Client) StartDeploy(ctx context.Context, id, commit string) (*Deploy, error) {
	body := map[string]string{}
	if commit != "" {
		body["commitId"] = commit
	}
	return c.deployed(ctx, id, "/deploys", body)
}

// Rollback deploys again what an earlier deploy had.
func (c *Client) Rollback(ctx context.Context, id, deploy string) (*Deploy, error) {
	return c.deployed(ctx, id, "/rollback", map[string]string{"deployId": deploy})
}

func (c *Client) deployed(ctx context.Context, id, path string, body any) (*Deploy, error) {
	var out Deploy
	_, err := c.api.Do(ctx, cloud.Request{Method: http.MethodPost, Path: "/services/" + url.PathEscape(id) + path, Body: body, Limit: deploys(id)}, &out)
	if err != nil || out.ID == "" {
		return nil, err
	}
	return &out, nil
}

// CancelDeploy ends a deploy that is under way. One that is not is no error.
func (c *Client) CancelDeploy(ctx context.Context, id, deploy string) error {
	_, err := c.api.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: "/services/" + url.PathEscape(id) + "/deploys/" + url.PathEscape(deploy) + "/cancel", Limit: changes(id),
	}, nil)
	if cloud.IsStatus(err, http.StatusNotFound, http.StatusConflict, http.StatusBadRequest) {
		return nil
	}
	return err
}

// Logs are the last lines of a service's build ("build") or of what it prints ("app"), oldest first.
func (c *Client) Logs(ctx context.Context, owner, id, kind string, lines int) ([]string, error) {
	var out struct {
		Logs []struct {
			Message string `json:"message"`
		} `json:"logs"`
	}
	_, err := c.api.Do(ctx, cloud.Request{Method: http.MethodGet, Path: "/logs", Query: url.Values{
		"ownerId": {owner}, "resource": {id}, "type": {kind}, "direction": {"backward"}, "limit": {strconv.Itoa(lines)},
	}}, &out)
	texts := make([]string, len(out.Logs))
	for i, line := range out.Logs {
		texts[len(out.Logs)-1-i] = line.Message
	}
	return texts, err
}
