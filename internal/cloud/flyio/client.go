package flyio

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
)

// BaseURL is Fly.io's own.
const BaseURL = "https://api.machines.dev/v1"

// PersonalOrg stands for the token owner's own organization, which may have another slug.
const PersonalOrg = "personal"

// Client calls the API with one token.
type Client struct{ http *cloud.Client }

// New returns a client; an empty base URL means Fly.io's own. governor may be nil.
func New(baseURL, token string, governor *cloud.Governor) *Client {
	if baseURL == "" {
		baseURL = BaseURL
	}
	return &Client{cloud.New(cloud.Options{
		Platform: "Fly.io", BaseURL: baseURL, Token: bareToken(token), Authorize: authorize, Governor: governor, RequestIDHeader: "Fly-Request-Id",
	})}
}

// bareToken is a token without the scheme that people copy with it.
func bareToken(token string) string {
	token = strings.TrimSpace(token)
	for _, scheme := range []string{"Bearer ", "FlyV1 "} {
		token = strings.TrimSpace(strings.TrimPrefix(token, scheme))
	}
	return token
}

// authorize uses the scheme that goes with the kind of token: macaroons, of which a token may hold several, have their own.
func authorize(r *http.Request, token string) {
	scheme := "Bearer "
	for part := range strings.SplitSeq(token, ",") {
		if strings.HasPrefix(part, "fm1r_") || strings.HasPrefix(part, "fm1a_") || strings.HasPrefix(part, "fm2_") {
			scheme = "FlyV1 "
		}
	}
	r.Header.Set("Authorization", scheme+token)
}

// App is an app, whose name is unique among all apps of Fly.io.
type App struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	Status       string `json:"status"`
	MachineCount int    `json:"machine_count"`
	VolumeCount  int    `json:"volume_count"`
	Organization struct {
		Slug string `json:"slug"`
	} `json:"organization"`
}

// Address is an IP address of an app.
type Address struct {
	IP     string `json:"ip"`
	Shared bool   `json:"shared"`
	Region string `json:"region"`
}

// V6 reports that the address is one of IPv6.
func (a Address) V6() bool { return strings.Contains(a.IP, ":") }

// Private reports that the address is reached from within Fly.io only.
func (a Address) Private() bool { return strings.HasPrefix(a.IP, "fdaa:") }

// Secret is a secret of an app as the API tells it: nothing can be read from the digest.
type Secret struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
}

// Secrets are an app's secrets; Version counts their changes, and is 0 where the API does not tell.
type Secrets struct {
	Secrets []Secret `json:"secrets"`
	Version int64    `json:"version"`
}

// Machine is a virtual machine.
type Machine struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	State      string          `json:"state"`
	Region     string          `json:"region"`
	InstanceID string          `json:"instance_id"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
	Config     json.RawMessage `json:"config"`
	ImageRef   struct {
		Registry, Repository, Tag, Digest string
	} `json:"image_ref"`
	Checks []Check `json:"checks"`
	Events []Event `json:"events"`
}

// Check is the latest result of one of a Machine's checks.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Output string `json:"output"`
}

// Event is something that happened to a Machine.
type Event struct {
	Type      string          `json:"type"`
	Status    string          `json:"status"`
	Source    string          `json:"source"`
	Timestamp int64           `json:"timestamp"` // milliseconds since 1970
	Request   json.RawMessage `json:"request"`
}

// Launch is what a Machine is created or updated with.
type Launch struct {
	Name              string          `json:"name,omitempty"`
	Region            string          `json:"region,omitempty"`
	Config            json.RawMessage `json:"config"`
	MinSecretsVersion int64           `json:"min_secrets_version,omitempty"`
}

// Version is an earlier configuration of a Machine.
type Version struct {
	Version string          `json:"version"`
	Config  json.RawMessage `json:"user_config"`
}

// Limits of the API: one call a second for each action on each app or Machine; a Machine may be looked at more often.
const (
	writeEvery, writeBurst = time.Second, 3
	readEvery, readBurst   = 200 * time.Millisecond, 10
)

func limit(action, id string) cloud.Limit {
	return cloud.Limit{Key: action + " " + id, Every: writeEvery, Burst: writeBurst}
}

func app(name string, more ...string) string {
	path := "/apps/" + url.PathEscape(name)
	for _, part := range more {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// CheckToken fails with status 401 when the token is not good.
func (c *Client) CheckToken(ctx context.Context) error {
	_, err := c.http.Do(ctx, cloud.Request{Method: http.MethodGet, Path: "/tokens/current", Limit: limit("token", "")}, nil)
	return err
}

// App looks at an app. An app of somebody else looks like one that is not there (404), or is not allowed (401, 403).
func (c *Client) App(ctx context.Context, name string) (App, error) {
	var out App
	_, err := c.http.Do(ctx, cloud.Request{Method: http.MethodGet, Path: app(name), Limit: limit("get app", name)}, &out)
	return out, err
}

// Apps lists the apps of an organization.
func (c *Client) Apps(ctx context.Context, org string) ([]App, error) {
	var out struct {
		Apps []App `json:"apps"`
	}
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodGet, Path: "/apps", Query: url.Values{"org_slug": {org}}, Limit: limit("list apps", org),
	}, &out)
	return out.Apps, err
}

// CreateApp makes an app without anything in it. It is visible a moment later.
func (c *Client) CreateApp(ctx context.Context, name, org string) error {
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: "/apps", Body: map[string]string{"name": name, "org_slug": org}, Limit: limit("create app", name),
	}, nil)
	return err
}

// DeleteApp deletes an app with all that is in it. The answer comes before that is done.
func (c *Client) DeleteApp(ctx context.Context, name string) error {
	_, err := c.http.Do(ctx, cloud.Request{Method: http.MethodDelete, Path: app(name), Limit: limit("delete app", name)}, nil)
	return err
}

// Addresses lists an app's IP addresses.
func (c *Client) Addresses(ctx context.Context, name string) ([]Address, error) {
	var out struct {
		IPs []Address `json:"ips"`
	}
	_, err := c.http.Do(ctx, cloud.Request{Method: http.MethodGet, Path: app(name, "ip_assignments"), Limit: limit("list addresses", name)}, &out)
	return out.IPs, err
}

// AssignAddress gives an app another address of that type, such as "v6" or "shared_v4".
func (c *Client) AssignAddress(ctx context.Context, name, kind string) (Address, error) {
	var out Address
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: app(name, "ip_assignments"), Body: map[string]string{"type": kind}, Limit: limit("assign address", name),
	}, &out)
	return out, err
}

// Secrets lists an app's secrets.
func (c *Client) Secrets(ctx context.Context, name string) (Secrets, error) {
	var out Secrets
	_, err := c.http.Do(ctx, cloud.Request{Method: http.MethodGet, Path: app(name, "secrets"), Limit: limit("list secrets", name)}, &out)
	return out, err
}

// SetSecrets sets secrets, and removes those whose value is nil. Machines see them at their next update.
func (c *Client) SetSecrets(ctx context.Context, name string, values map[string]*string) (Secrets, error) {
	var out Secrets
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: app(name, "secrets"), Body: map[string]any{"values": values}, Limit: limit("set secrets", name),
	}, &out)
	return out, err
}

// Machines lists an app's Machines without those that are destroyed.
func (c *Client) Machines(ctx context.Context, name string) ([]Machine, error) {
	var out []Machine
	_, err := c.http.Do(ctx, cloud.Request{Method: http.MethodGet, Path: app(name, "machines"), Limit: limit("list machines", name)}, &out)
	return out, err
}

// Machine looks at one Machine.
func (c *Client) Machine(ctx context.Context, name, id string) (Machine, error) {
	var out Machine
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodGet, Path: app(name, "machines", id), Limit: cloud.Limit{Key: "get machine " + id, Every: readEvery, Burst: readBurst},
	}, &out)
	return out, err
}

// CreateMachine makes and starts a Machine.
func (c *Client) CreateMachine(ctx context.Context, name string, launch Launch) (Machine, error) {
	var out Machine
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: app(name, "machines"), Body: launch, Limit: limit("create machine", name),
	}, &out)
	return out, err
}

// UpdateMachine replaces a Machine's whole configuration, and starts it. nonce is the lease's.
func (c *Client) UpdateMachine(ctx context.Context, name, id, nonce string, launch Launch) (Machine, error) {
	var out Machine
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: app(name, "machines", id), Body: launch, Header: leased(nonce), Limit: limit("update machine", id),
	}, &out)
	return out, err
}

// StartMachine starts a Machine that is stopped or suspended.
func (c *Client) StartMachine(ctx context.Context, name, id string) error {
	_, err := c.http.Do(ctx, cloud.Request{Method: http.MethodPost, Path: app(name, "machines", id, "start"), Limit: limit("start machine", id)}, nil)
	return err
}

// DeleteMachine destroys a Machine, also one that runs.
func (c *Client) DeleteMachine(ctx context.Context, name, id string) error {
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodDelete, Path: app(name, "machines", id), Query: url.Values{"force": {strconv.FormatBool(true)}},
		Limit: limit("delete machine", id),
	}, nil)
	return err
}

// Versions lists a Machine's earlier configurations, and the present one.
func (c *Client) Versions(ctx context.Context, name, id string) ([]Version, error) {
	var out []Version
	_, err := c.http.Do(ctx, cloud.Request{Method: http.MethodGet, Path: app(name, "machines", id, "versions"), Limit: limit("list versions", id)}, &out)
	return out, err
}

// Lease takes the sole right to change a Machine for that many seconds. While somebody else has it the status is 409.
func (c *Client) Lease(ctx context.Context, name, id, why string, seconds int) (nonce string, err error) {
	var out struct {
		Data struct {
			Nonce string `json:"nonce"`
		} `json:"data"`
	}
	_, err = c.http.Do(ctx, cloud.Request{
		Method: http.MethodPost, Path: app(name, "machines", id, "lease"), Body: map[string]any{"description": why, "ttl": seconds},
		Limit: limit("lease machine", id),
	}, &out)
	return out.Data.Nonce, err
}

// Release gives a lease back.
func (c *Client) Release(ctx context.Context, name, id, nonce string) error {
	_, err := c.http.Do(ctx, cloud.Request{
		Method: http.MethodDelete, Path: app(name, "machines", id, "lease"), Header: leased(nonce), Limit: limit("release machine", id),
	}, nil)
	return err
}

func leased(nonce string) http.Header {
	if nonce == "" {
		return nil
	}
	return http.Header{"Fly-Machine-Lease-Nonce": {nonce}}
}
