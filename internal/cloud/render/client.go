package render

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
)

// BaseURL is where Render's API is.
const BaseURL = "https://api.render.com/v1"

// Client speaks with Render. It is safe for concurrent use. Every failure is a *cloud.Error, unless ctx ended.
type Client struct{ api *cloud.Client }

// New returns a client. baseURL empty is Render's own; it connects to nothing.
func New(baseURL, token string, governor *cloud.Governor) *Client {
	if baseURL == "" {
		baseURL = BaseURL
	}
	return &Client{cloud.New(cloud.Options{Platform: "Render", BaseURL: baseURL, Token: token, RequestIDHeader: "X-Request-Id", Governor: governor})}
}

// The rates that Render documents: creations are counted by token, changes and deploys by service, and each kind apart.
func creations() cloud.Limit { return cloud.Limit{Key: "create", Every: time.Second, Burst: 20} }
func changes(id string) cloud.Limit {
	return cloud.Limit{Key: "change/" + id, Every: 6 * time.Second, Burst: 10}
}
func deploys(id string) cloud.Limit {
	return cloud.Limit{Key: "deploy/" + id, Every: 6 * time.Second, Burst: 10}
}

// perPage is the most that Render gives at once.
const perPage = 100

// list reads all pages of a list whose elements hold the thing under the name wrap.
func list[T any](ctx context.Context, c *Client, path, wrap string, query url.Values) ([]T, error) {
	var all []T
	query.Set("limit", strconv.Itoa(perPage))
	for {
		var page []map[string]element[T]
		if _, err := c.api.Do(ctx, cloud.Request{Method: http.MethodGet, Path: path, Query: query}, &page); err != nil {
			return nil, err
		}
		for _, one := range page {
			all = append(all, one[wrap].value)
		}
		if len(page) < perPage {
			return all, nil
		}
		query.Set("cursor", page[len(page)-1]["cursor"].cursor)
	}
}

// Owner is a workspace.
type Owner struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Type  string `json:"type"`
}

// Owners lists the workspaces that the token can see.
func (c *Client) Owners(ctx context.Context) ([]Owner, error) {
	return list[Owner](ctx, c, "/owners", "owner", url.Values{})
}

// Service is a web service, as far as orch looks at it.
type Service struct {
	ID             string  `json:"id"`
	Name           string  `json:"name"`
	OwnerID        string  `json:"ownerId"`
	Type           string  `json:"type"`
	AutoDeploy     string  `json:"autoDeploy"`
	Repo           string  `json:"repo"`
	Branch         string  `json:"branch"`
	RootDir        string  `json:"rootDir"`
	ImagePath      string  `json:"imagePath"`
	Suspended      string  `json:"suspended"`
	DashboardURL   string  `json:"dashboardUrl"`
	CreatedAt      string  `json:"createdAt"`
	ServiceDetails Details `json:"serviceDetails"`
}

// Details of a web service.
type Details struct {
	Runtime            string   `json:"runtime"`
	Plan               string   `json:"plan"`
	Region             string   `json:"region"`
	NumInstances       int      `json:"numInstances"`
	HealthCheckPath    string   `json:"healthCheckPath"`
	EnvSpecificDetails Specific `json:"envSpecificDetails"`
	URL                string   `json:"url"`
}

// Specific are the fields of a runtime: the first two are Docker's, the next two those of all others.
type Specific struct {
	DockerCommand    string `json:"dockerCommand"`
	DockerfilePath   string `json:"dockerfilePath"`
	BuildCommand     string `json:"buildCommand"`
	StartCommand     string `json:"startCommand"`
	PreDeployCommand string `json:"preDeployCommand"`
}

// Change is what a service is created with, or changed to. Absent fields are not sent.
type Change struct {
	Type           string         `json:"type,omitempty"`
	Name           string         `json:"name,omitempty"`
	OwnerID        string         `json:"ownerId,omitempty"`
	Repo           string         `json:"repo,omitempty"`
	Branch         string         `json:"branch,omitempty"`
	RootDir        *string        `json:"rootDir,omitempty"`
	AutoDeploy     string         `json:"autoDeploy,omitempty"`
	Image          *Image         `json:"image,omitempty"`
	EnvVars        []EnvVar       `json:"envVars,omitempty"`
	ServiceDetails *ChangeDetails `json:"serviceDetails,omitempty"`
}

// Image is a reference to run, and who may pull it.
type Image struct {
	OwnerID   string `json:"ownerId"`
	ImagePath string `json:"imagePath"`
}

// ChangeDetails are the details that a Change can have. Region and NumInstances belong to a creation alone.
type ChangeDetails struct {
	Runtime            string          `json:"runtime,omitempty"`
	Plan               string          `json:"plan,omitempty"`
	Region             string          `json:"region,omitempty"`
	NumInstances       int             `json:"numInstances,omitempty"`
	HealthCheckPath    *string         `json:"healthCheckPath,omitempty"`
	PreDeployCommand   *string         `json:"preDeployCommand,omitempty"`
	EnvSpecificDetails *ChangeSpecific `json:"envSpecificDetails,omitempty"`
}

// ChangeSpecific are the fields of Specific that a Change can have: Docker's, or those of all others.
type ChangeSpecific struct {
	DockerCommand  *string `json:"dockerCommand,omitempty"`
	DockerfilePath *string `json:"dockerfilePath,omitempty"`
	BuildCommand   *string `json:"buildCommand,omitempty"`
	StartCommand   *string `json:"startCommand,omitempty"`
}

// TypeWebService is the type of all services that orch makes.
const TypeWebService = "web_service"

// FindService looks a service up by its exact name in a workspace; nil is none.
func (c *Client) FindService(ctx context.Context, owner, name string) (*Service, error) {
	all, err := list[Service](ctx, c, "/services", "service", url.Values{"name": {name}, "ownerId": {owner}})
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.Name == name && one.OwnerID == owner {
			return &one, nil
		}
	}
	return nil, nil //nolint:nilnil // a lookup that finds nothing is no failure, and a flag would say the same twice
}

// Services lists all services that the token can see.
func (c *Client) Services(ctx context.Context) ([]Service, error) {
	return list[Service](ctx, c, "/services", "service", url.Values{})
}

// Service reads a service; nil when it is gone.
func (c *Client) Service(ctx context.Context, id string) (*Service, error) {
	var out Service
	_, err := c.api.Do(ctx, cloud.Request{Method: http.MethodGet, Path: "/services/" + url.PathEscape(id)}, &out)
	if cloud.IsStatus(err, http.StatusNotFound, http.StatusGone) {
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// CreateService creates a service, which also starts its first deploy. An hour allows 20 attempts, so look before you call.
func (c *Client) CreateService(ctx context.Context, in Change) (service Service, deployID string, err error) {
	var out struct {
		Service  Service `json:"service"`
		DeployID string  `json:"deployId"`
	}
	_, err = c.api.Do(ctx, cloud.Request{Method: http.MethodPost, Path: "/services", Body: in, Limit: creations()}, &out)
	return out.Service, out.DeployID, err
}

// PatchService changes what Change names, and deploys nothing.
func (c *Client) PatchService(ctx context.Context, id string, in Change) (Service, error) {
	var out Service
	_, err := c.api.Do(ctx, cloud.Request{Method: http.MethodPatch, Path: "/services/" + url.PathEscape(id), Body: in, Limit: changes(id)}, &out)
	return out, err
}

// Scale sets the number of instances.
func (c *Client) Scale(ctx context.Context, id string, instances int) error {
	_, err := c.api.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: "/services/" + url.PathEscape(id) + "/scale", Body: map[string]int{"numInstances": instances}, Limit: changes(id),
	}, nil)
	return err
}

// Resume ends a suspension, and deploys.
func (c *Client) Resume(ctx context.Context, id string) error {
	_, err := c.api.Do(ctx, cloud.Request{Method: http.MethodPost, Path: "/services/" + url.PathEscape(id) + "/resume", Limit: changes(id)}, nil)
	return err
}

// DeleteService deletes a service. One that is gone already is no error.
func (c *Client) DeleteService(ctx context.Context, id string) error {
	_, err := c.api.Do(ctx, cloud.Request{Method: http.MethodDelete, Path: "/services/" + url.PathEscape(id)}, nil)
	if cloud.IsStatus(err, http.StatusNotFound, http.StatusGone) {
		return nil
	}
	return err
}

// EnvVar is a variable of the application.
type EnvVar struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// EnvVars lists a service's variables, values included.
func (c *Client) EnvVars(ctx context.Context, id string) ([]EnvVar, error) {
	return list[EnvVar](ctx, c, "/services/"+url.PathEscape(id)+"/env-vars", "envVar", url.Values{})
}

// PutEnvVars replaces all of a service's variables, and deploys nothing.
func (c *Client) PutEnvVars(ctx context.Context, id string, vars []EnvVar) error {
	_, err := c.api.Do(ctx, cloud.Request{Method: http.MethodPut, Path: "/services/" + url.PathEscape(id) + "/env-vars", Body: vars}, nil)
	return err
}

// Problem is what is wrong with a Blueprint.
type Problem struct {
	Path  string `json:"path"`
	Error string `json:"error"`
	Line  int    `json:"line"`
}

// String is the problem with its place.
func (p Problem) String() string {
	switch {
	case p.Path != "":
		return p.Path + ": " + p.Error
	case p.Line > 0:
		return fmt.Sprintf("line %d: %s", p.Line, p.Error)
	}
	return p.Error
}

// ValidateBlueprint asks Render what is wrong with a render.yaml; nothing is.
func (c *Client) ValidateBlueprint(ctx context.Context, owner string, content []byte) ([]Problem, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	file, err := w.CreateFormFile("file", "render.yaml")
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(content); err != nil {
		return nil, err
	}
	if err := w.WriteField("ownerId", owner); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	var out struct {
		Valid  bool      `json:"valid"`
		Errors []Problem `json:"errors"`
	}
	_, err = c.api.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: "/blueprints/validate", Body: &cloud.Raw{ContentType: w.FormDataContentType(), Data: form.Bytes()}, Safe: true,
	}, &out)
	if err == nil && !out.Valid && len(out.Errors) == 0 {
		out.Errors = []Problem{{Error: "not valid, and Render does not say why"}}
	}
	return out.Errors, err
}
