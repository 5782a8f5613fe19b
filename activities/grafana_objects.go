package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// ownerKey is where a data source keeps whose it is. Data sources have no tags; Grafana keeps any key of jsonData.
const ownerKey = "orchOwner"

// objects are what a stack wants in a Grafana that is not its own, ready for comparison.
type objects struct {
	contract.GrafanaObjects
	// owner marks what is ours: the value of ownerKey, and a tag of dashboards. Tags have at most 50 characters, and the
	// folder's uid has at most 40 and tells the service.
	owner      string
	datasource map[string]any
	dashboards []map[string]any
}

func decodeObjects(o contract.GrafanaObjects) (objects, error) {
	out := objects{GrafanaObjects: o, owner: "orch:" + o.FolderUID}
	if err := json.Unmarshal(o.Datasource, &out.datasource); err != nil {
		return out, contract.Fail(contract.Internal, "the data source for Grafana cannot be read: %v", err)
	}
	settings, ok := out.datasource["jsonData"].(map[string]any)
	if !ok {
		settings = map[string]any{}
	}
	settings[ownerKey] = out.owner
	out.datasource["jsonData"] = settings
	for _, raw := range o.Dashboards {
		var model map[string]any
		if err := json.Unmarshal(raw, &model); err != nil {
			return out, contract.Fail(contract.Internal, "a dashboard for Grafana cannot be read: %v", err)
		}
		tags, ok := model["tags"].([]any)
		if !ok {
			tags = nil
		}
		model["tags"] = append(tags, out.owner)
		out.dashboards = append(out.dashboards, model)
	}
	return out, nil
}

// text is a member of a JSON object, empty when it is no text.
func text(object map[string]any, key string) string {
	value, ok := object[key].(string)
	if !ok {
		return ""
	}
	return value
}

func (o objects) datasourceUID() string { return text(o.datasource, "uid") }
func (o objects) datasourcePath() string {
	return "/api/datasources/uid/" + url.PathEscape(o.datasourceUID())
}
func (o objects) folderPath() string  { return "/api/folders/" + url.PathEscape(o.FolderUID) }
func dashboardPath(uid string) string { return "/api/dashboards/uid/" + url.PathEscape(uid) }

// folder is what Grafana says of a folder.
type folder struct {
	UID   string `json:"uid"`
	Title string `json:"title"`
}

// dashboard is what Grafana says of a dashboard.
type dashboard struct {
	Meta struct {
		FolderUID   string `json:"folderUid"`
		Provisioned bool   `json:"provisioned"`
	} `json:"meta"`
	Model map[string]any `json:"dashboard"`
}

// present is what is in Grafana under the uids of the objects; nil is missing.
type present struct {
	datasource map[string]any
	folder     *folder
	dashboards map[string]*dashboard
}

// find looks for all objects and changes nothing.
func (g grafana) find(ctx context.Context, o objects) (present, error) {
	p := present{dashboards: map[string]*dashboard{}}
	found, err := g.get(ctx, o.datasourcePath(), &p.datasource)
	if err != nil {
		return p, err
	}
	if !found {
		p.datasource = nil
	}
	var f folder
	if found, err = g.get(ctx, o.folderPath(), &f); err != nil {
		return p, err
	}
	if found {
		p.folder = &f
	}
	for _, model := range o.dashboards {
		var d dashboard
		uid := text(model, "uid")
		if found, err = g.get(ctx, dashboardPath(uid), &d); err != nil {
			return p, err
		}
		if found {
			p.dashboards[uid] = &d
		}
	}
	return p, nil
}

func (o objects) ownsDatasource(d map[string]any) bool {
	settings, ok := d["jsonData"].(map[string]any)
	return ok && settings[ownerKey] == o.owner && d["readOnly"] != true
}

func (o objects) ownsDashboard(d *dashboard) bool {
	tags, ok := d.Model["tags"].([]any)
	return ok && slices.Contains(tags, any(o.owner)) && !d.Meta.Provisioned
}

// refuse fails when something under one of the uids is somebody else's.
func (o objects) refuse(g grafana, p present) error {
	foreign := func(what, uid string, fromFile bool) error {
		failure := contract.Fail(contract.NotOwned, "Grafana at %s has a %s with the uid %q already, and it is not this pipeline's", g.at(), what, uid).Next("delete it in Grafana, or choose another service_name or scope")
		if fromFile {
			failure.Cause += ": it comes from a provisioning file of that Grafana"
			failure.Hint = "remove it from that file, or choose another service_name or scope"
		}
		return g.blame(failure)
	}
	if d := p.datasource; d != nil && !o.ownsDatasource(d) {
		return foreign("data source", o.datasourceUID(), d["readOnly"] == true)
	}
	for _, model := range o.dashboards {
		uid := text(model, "uid")
		if d := p.dashboards[uid]; d != nil && !o.ownsDashboard(d) {
			return foreign("dashboard", uid, d.Meta.Provisioned)
		}
	}
	if p.folder != nil && !o.ownsFolder(p) {
		return foreign(fmt.Sprintf("folder %q", p.folder.Title), o.FolderUID, false)
	}
	return nil
}

// ownsFolder tells by what else is there, because folders carry no mark: one of another title is ours when something of
// ours is there, and somebody has renamed it.
func (o objects) ownsFolder(p present) bool {
	if p.folder.Title == o.FolderTitle || p.datasource != nil && o.ownsDatasource(p.datasource) {
		return true
	}
	for _, d := range p.dashboards {
		if o.ownsDashboard(d) {
			return true
		}
	}
	return false
}

// EnsureGrafana makes the objects in a Grafana that is not the stack's own what they should be. Nothing is written when one
// of the uids belongs to somebody else.
func (d *Docker) EnsureGrafana(ctx context.Context, call contract.GrafanaCall) error {
	_, err := beating(ctx, func(ctx context.Context, progress engine.Progress) (struct{}, error) {
		if err := d.Engine.CheckEngine(ctx, call.EngineID); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, d.ensureGrafana(ctx, call.Objects, progress)
	})
	return err
}

func (d *Docker) ensureGrafana(ctx context.Context, spec contract.GrafanaObjects, progress engine.Progress) error {
	o, err := decodeObjects(spec)
	if err != nil {
		return err
	}
	g, err := d.foreignGrafana(ctx, spec)
	if err != nil {
		return err
	}
	if err := g.alive(ctx); err != nil {
		return err
	}
	p, err := g.find(ctx, o)
	if err != nil {
		return err
	}
	if err := o.refuse(g, p); err != nil {
		return err
	}
	progress("data source %s in Grafana at %s", o.datasourceUID(), g.at())
	if err := g.putDatasource(ctx, o, p.datasource); err != nil {
		return err
	}
	progress("folder %s in Grafana at %s", o.FolderUID, g.at())
	if err := g.putFolder(ctx, o, p.folder); err != nil {
		return err
	}
	for _, model := range o.dashboards {
		progress("dashboard %s in Grafana at %s", text(model, "uid"), g.at())
		if err := g.putDashboard(ctx, o, model); err != nil {
			return err
		}
	}
	return nil
}

// putDatasource writes the data source as a whole: a link that the stack no longer has must go, too.
func (g grafana) putDatasource(ctx context.Context, o objects, found map[string]any) error {
	method, path := http.MethodPost, "/api/datasources"
	if found != nil {
		method, path = http.MethodPut, o.datasourcePath()
		// Whether it is the default one is the choice of whoever owns the Grafana.
		if isDefault, ok := found["isDefault"].(bool); ok {
			o.datasource["isDefault"] = isDefault
		}
	}
	got, err := g.ask(ctx, method, path, o.datasource)
	switch {
	case err != nil:
		return err
	case got.ok():
		return nil
	case got.status == http.StatusConflict:
		return g.taken("data source", text(o.datasource, "name"), got)
	default:
		return g.unexpected(method, path, got)
	}
}

// taken is the failure when a name is in use under another uid.
func (g grafana) taken(what, name string, got answer) error {
	failure := contract.Fail(contract.Conflict, "Grafana at %s has another %s of the name %q already: %s", g.at(), what, name, got.said()).Next("rename or delete that one in Grafana, or choose another service_name")
	return g.blame(failure)
}

func (g grafana) putFolder(ctx context.Context, o objects, found *folder) error {
	if found == nil {
		got, err := g.ask(ctx, http.MethodPost, "/api/folders", map[string]any{"uid": o.FolderUID, "title": o.FolderTitle})
		if err != nil || got.ok() {
			return err
		}
		if got.status != http.StatusConflict && got.status != http.StatusPreconditionFailed {
			return g.unexpected(http.MethodPost, "/api/folders", got)
		}
		// Either it was made in between, or its title is in use.
		var now folder
		exists, err := g.get(ctx, o.folderPath(), &now)
		if err != nil {
			return err
		}
		if !exists {
			return g.taken("folder", o.FolderTitle, got)
		}
		found = &now
	}
	if found.Title == o.FolderTitle {
		return nil
	}
	got, err := g.ask(ctx, http.MethodPut, o.folderPath(), map[string]any{"title": o.FolderTitle, "overwrite": true})
	switch {
	case err != nil || got.ok():
		return err
	case got.status == http.StatusConflict || got.status == http.StatusPreconditionFailed:
		return g.taken("folder", o.FolderTitle, got)
	default:
		return g.unexpected(http.MethodPut, o.folderPath(), got)
	}
}

func (g grafana) putDashboard(ctx context.Context, o objects, model map[string]any) error {
	const path = "/api/dashboards/db"
	got, err := g.ask(ctx, http.MethodPost, path, map[string]any{
		"dashboard": model, "folderUid": o.FolderUID, "overwrite": true, "message": "written by orch",
	})
	if err != nil || got.ok() {
		return err
	}
	return g.unexpected(http.MethodPost, path, got)
}

// InspectGrafana compares what is there with what should be, and changes nothing. A Grafana that is down or refuses is drift
// and no failure: it may be another pipeline's, which an apply repairs first.
func (d *Docker) InspectGrafana(ctx context.Context, call contract.GrafanaCall) (contract.GrafanaState, error) {
	return beating(ctx, func(ctx context.Context, _ engine.Progress) (contract.GrafanaState, error) {
		if err := d.Engine.CheckEngine(ctx, call.EngineID); err != nil {
			return contract.GrafanaState{}, err
		}
		drift, err := d.inspectGrafana(ctx, call.Objects)
		failure := contract.AsFailure(err)
		if failure != nil && failure.Class != contract.Internal {
			drift, err = []string{failure.Cause}, nil
		}
		return contract.GrafanaState{Drift: drift}, err
	})
}

func (d *Docker) inspectGrafana(ctx context.Context, spec contract.GrafanaObjects) ([]string, error) {
	o, err := decodeObjects(spec)
	if err != nil {
		return nil, err
	}
	g, err := d.foreignGrafana(ctx, spec)
	if err != nil {
		return nil, err
	}
	if err := g.alive(ctx); err != nil {
		return nil, err
	}
	p, err := g.find(ctx, o)
	if err != nil {
		return nil, err
	}
	return o.drift(p), nil
}

// drift says what is not as it should be, a sentence each.
func (o objects) drift(p present) []string {
	drift := o.datasourceDrift(p.datasource)
	switch {
	case p.folder == nil:
		drift = append(drift, fmt.Sprintf("the folder %s is missing", o.FolderUID))
	case p.folder.Title != o.FolderTitle:
		drift = append(drift, fmt.Sprintf("the folder %s is called %q instead of %q", o.FolderUID, p.folder.Title, o.FolderTitle))
	}
	for _, want := range o.dashboards {
		uid := text(want, "uid")
		drift = append(drift, o.dashboardDrift(uid, want, p.dashboards[uid])...)
	}
	return drift
}

func (o objects) datasourceDrift(got map[string]any) []string {
	uid := o.datasourceUID()
	if got == nil {
		return []string{fmt.Sprintf("the data source %s is missing", uid)}
	}
	if !o.ownsDatasource(got) {
		return []string{fmt.Sprintf("the data source %s is not this pipeline's any more", uid)}
	}
	var drift []string
	for _, key := range []string{"name", "type", "url", "access"} {
		if got[key] != o.datasource[key] {
			drift = append(drift, fmt.Sprintf("the data source %s has %s %q instead of %q", uid, key, text(got, key), text(o.datasource, key)))
		}
	}
	if key := lacking(o.datasource["jsonData"], got["jsonData"]); key != "" {
		drift = append(drift, fmt.Sprintf("the data source %s has another setting %s", uid, key))
	}
	return drift
}

func (o objects) dashboardDrift(uid string, want map[string]any, got *dashboard) []string {
	if got == nil {
		return []string{fmt.Sprintf("the dashboard %s is missing", uid)}
	}
	if !o.ownsDashboard(got) {
		return []string{fmt.Sprintf("the dashboard %s is not this pipeline's any more", uid)}
	}
	var drift []string
	if got.Meta.FolderUID != o.FolderUID {
		drift = append(drift, fmt.Sprintf("the dashboard %s is in folder %q instead of %q", uid, got.Meta.FolderUID, o.FolderUID))
	}
	for _, key := range []string{"title", "panels"} {
		if lacking(want[key], got.Model[key]) != "" {
			drift = append(drift, fmt.Sprintf("the dashboard %s has another %s", uid, key))
		}
	}
	return drift
}
