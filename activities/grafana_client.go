package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// grafana is a Grafana and a login to it.
type grafana struct {
	rest
	// attribute is the input attribute to look at when Grafana refuses.
	attribute string
	// login says in words whose login it is.
	login string
}

func newGrafana(base string, client *http.Client, authorize func(*http.Request)) grafana {
	return grafana{rest: rest{name: "Grafana", base: base, client: client, authorize: authorize}}
}

func basic(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// ownGrafana opens the stack's own Grafana: the component whose password orch can rotate there.
func ownGrafana(ctx context.Context, e Engine, stack contract.Stack) (g grafana, component string, err error) {
	for _, c := range stack.Components {
		for _, s := range c.Secrets {
			if s.Rotation != contract.RotateGrafana {
				continue
			}
			port := s.Port
			if port == "" {
				port = c.Probe.Port
			}
			address, err := e.Address(ctx, stack.Ref, c.Name, port)
			if err != nil {
				return grafana{}, "", err
			}
			password, err := e.Secret(ctx, stack.Ref, c.Name, s.Name)
			if err != nil {
				return grafana{}, "", err
			}
			g = newGrafana("http://"+address, direct, basic(s.User, password))
			g.attribute, g.login = c.InputPath+".admin_password_wo", fmt.Sprintf("the stored password of %q", s.User)
			return g, c.Name, nil
		}
	}
	return grafana{}, "", contract.Fail(contract.Internal, "%s has a canary that is read through Grafana, and no Grafana", stack.Ref.ID())
}

// foreignGrafana opens a Grafana that is not the stack's own.
func (d *Docker) foreignGrafana(ctx context.Context, o contract.GrafanaObjects) (grafana, error) {
	g := newGrafana(o.URL, routed, nil)
	g.attribute = o.Attribute
	value, err := d.login(ctx, o)
	if err != nil {
		return grafana{}, g.blame(err)
	}
	if o.Token != nil || o.TokenSource != nil {
		g.authorize, g.login = bearer(value), "the token"
	} else {
		g.authorize, g.login = basic(o.User, value), fmt.Sprintf("the password of %q", o.User)
	}
	return g, nil
}

// login is the token or password that opens a Grafana.
func (d *Docker) login(ctx context.Context, o contract.GrafanaObjects) (string, error) {
	if o.TokenSource != nil {
		token, err := d.Secrets.Resolve(*o.TokenSource)
		failure := contract.AsFailure(err)
		if failure != nil {
			failure.Attribute = "grafana.token"
		}
		return token, err
	}
	from := loginRef(o)
	if from == nil {
		return "", contract.Fail(contract.InvalidInput, "no login to Grafana at %s is given", rest{base: o.URL}.at())
	}
	return d.Engine.Secret(ctx, from.Ref, from.Component, from.Name)
}

// loginRef is where the engine keeps the login; nil where it does not.
func loginRef(o contract.GrafanaObjects) *contract.SecretRef {
	if o.Token != nil {
		return o.Token
	}
	return o.Password
}

// blame names the input attribute in a failure that names none.
func (g grafana) blame(err error) error {
	failure := contract.AsFailure(err)
	if failure != nil && failure.Attribute == "" {
		failure.Attribute = g.attribute
	}
	return err
}

// alive makes sure that it is a Grafana that answers, without showing the login to whatever else it may be.
func (g grafana) alive(ctx context.Context) error {
	open := g.rest
	open.authorize = nil
	got, err := open.call(ctx, http.MethodGet, "/api/health", nil)
	if err != nil {
		return g.blame(err)
	}
	var health struct {
		Database string `json:"database"`
	}
	switch {
	case got.status >= http.StatusInternalServerError, got.status == http.StatusTooManyRequests:
		return g.blame(contract.Fail(contract.Unavailable, "Grafana at %s is not well: %s", g.at(), got))
	case got.status == http.StatusUnauthorized || got.status == http.StatusForbidden:
		return nil // something in front of it wants the login first
	case !got.ok() || got.decode(&health) != nil || health.Database == "":
		failure := contract.Fail(contract.InvalidInput, "what answers at %s is no Grafana: /api/health gives %s", g.at(), got).Next("the URL is that of Grafana's start page, a path that it is served under included")
		return g.blame(failure)
	}
	return nil
}

// ask calls Grafana and makes a failure of every answer that cannot be meant for the caller. It never tries again with
// another login: Grafana locks an account after five wrong passwords, for the right one too.
func (g grafana) ask(ctx context.Context, method, path string, body any) (answer, error) {
	got, err := g.call(ctx, method, path, body)
	if err != nil {
		return answer{}, g.blame(err)
	}
	switch {
	case got.status == http.StatusUnauthorized:
		failure := contract.Fail(contract.Denied, "Grafana at %s refuses %s: %s", g.at(), g.login, got).Next("give the right login; after five wrong passwords Grafana locks the account for five minutes, so wait before you apply again")
		return answer{}, g.blame(failure)
	case got.status == http.StatusForbidden:
		failure := contract.Fail(contract.Denied, "Grafana at %s does not allow %s %s with %s: %s", g.at(), method, pathOnly(path), g.login, got).Next("the account needs the role Admin in its organization, to make data sources and folders")
		return answer{}, g.blame(failure)
	case got.status == http.StatusTooManyRequests, got.status >= http.StatusInternalServerError:
		return answer{}, g.blame(contract.Fail(contract.Unavailable, "Grafana at %s answered %s %s with %s", g.at(), method, pathOnly(path), got))
	}
	return got, nil
}

// get reads a JSON object into out; found is false when Grafana has no such thing.
func (g grafana) get(ctx context.Context, path string, out any) (found bool, err error) {
	got, err := g.ask(ctx, http.MethodGet, path, nil)
	switch {
	case err != nil:
		return false, err
	case got.status == http.StatusNotFound:
		return false, nil
	case !got.ok():
		return false, g.unexpected(http.MethodGet, path, got)
	}
	if err := json.Unmarshal(got.body, out); err != nil {
		return false, g.blame(contract.Fail(contract.InvalidInput, "Grafana at %s answers GET %s with something else than expected: %v", g.at(), path, err))
	}
	return true, nil
}

// unexpected is the failure of a request that Grafana will refuse again.
func (g grafana) unexpected(method, path string, got answer) error {
	return g.blame(contract.Fail(contract.InvalidInput, "Grafana at %s refuses %s %s: %s", g.at(), method, pathOnly(path), got))
}

// through is the path of a request that Grafana passes on to what is behind a data source.
func through(datasourceUID, path string, query url.Values) string {
	path = "/api/datasources/proxy/uid/" + url.PathEscape(datasourceUID) + path
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

func pathOnly(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	return u.Path
}
