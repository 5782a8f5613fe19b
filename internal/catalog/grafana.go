package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// GrafanaName is Grafana's component name.
const GrafanaName = "grafana"

// GrafanaImage is the image that Grafana runs by default.
const GrafanaImage = "grafana/grafana:12.4.15"

// Secrets that have to do with Grafana. The first belongs to an own Grafana; the others open another one, and are kept with
// the pipeline's main component.
const (
	GrafanaAdminSecret    = "admin_password"
	GrafanaPasswordSecret = "grafana_password"
	GrafanaTokenSecret    = "grafana_token"
)

// grafanaUID is the user of the upstream image.
const grafanaUID = 472

// GrafanaInput configures a pipeline's own Grafana, or with URL names another one to use.
type GrafanaInput struct {
	Container
	// Port is the host port of the user interface and API.
	Port *int64 `json:"port"`
	// AdminUser is the administrator's login.
	AdminUser *string `json:"admin_user"`
	// AdminPasswordVersion is raised to change the password; the password itself is write-only and stands nowhere.
	AdminPasswordVersion *int64 `json:"admin_password_wo_version"`
	// URL is a Grafana that the pipeline does not own, as the worker reaches it.
	URL *string `json:"url"`
	// PipelineID is the id of the pipeline that owns that Grafana, when orch made it: its password is used and its network
	// is joined.
	PipelineID *string `json:"pipeline_id"`
	// TokenVersion belongs to a service account token, which is write-only.
	TokenVersion *int64 `json:"token_wo_version"`
	// DatasourceURL is the pipeline's store as that Grafana reaches it.
	DatasourceURL *string `json:"datasource_url"`
	// LogsUID and TracesUID are uids of data sources that this one's data links to.
	LogsUID   *string `json:"logs_datasource_uid"`
	TracesUID *string `json:"traces_datasource_uid"`
}

// Defaults of Grafana. The ports differ between pipelines so that they can live on one host.
const (
	GrafanaLogsPort    = 3000
	GrafanaMetricsPort = 3001
	GrafanaTracingPort = 3002
	GrafanaMemoryMB    = 512
	GrafanaAdminUser   = "admin"
)

// view is how a pipeline shows its data in Grafana: its own, or another one that it adds its objects to.
type view struct {
	in   GrafanaInput
	kind contract.Kind
	// name, uid and datasourceType are the data source's; uid is that in an own Grafana.
	name, uid, datasourceType string
	// store is the component that the data source asks, and port its port.
	store string
	port  string
	// jsonData are the data source's further settings, links included.
	jsonData map[string]any
	// dashboard is the file of the dashboard.
	dashboard string
	// defaultPort is the host port of an own Grafana.
	defaultPort int64
}

// own reports whether the pipeline has a Grafana of its own.
func (v view) own() bool { return v.in.URL == nil }

// datasourceUID is the data source's uid. In another's Grafana it tells the service; uids have at most 40 characters.
func (v view) datasourceUID(ref contract.Ref) string {
	if v.own() {
		return v.uid
	}
	if name := ref.Network(); len(name) <= 40 {
		return name
	}
	sum := sha256.Sum256([]byte(ref.Network()))
	return "orch-" + v.kind.Short + "-" + hex.EncodeToString(sum[:8])
}

func (v view) dashboardUID(ref contract.Ref) string {
	if v.own() {
		return "orch-" + v.kind.Short
	}
	return v.datasourceUID(ref)
}

// owner is the service whose Grafana is used, when orch made it.
func (v view) owner() (contract.Ref, bool) {
	if v.own() || v.in.PipelineID == nil {
		return contract.Ref{}, false
	}
	ref, err := contract.ParseID(*v.in.PipelineID)
	return ref, err == nil
}

// datasource is the body of Grafana's data source API, which its provisioning files share.
func (v view) datasource(ref contract.Ref) map[string]any {
	address := "http://" + v.store + ":" + v.port
	name := v.name
	if !v.own() {
		address = or(v.in.DatasourceURL, "http://"+ref.Alias(v.store)+":"+v.port)
		name = v.name + " " + ref.Service
		if ref.Scope != contract.DefaultScope {
			name += " (" + ref.Scope + ")"
		}
	}
	d := map[string]any{"name": name, "uid": v.datasourceUID(ref), "type": v.datasourceType, "access": "proxy", "url": address}
	if v.own() {
		d["isDefault"] = true
	}
	if len(v.jsonData) > 0 {
		d["jsonData"] = v.jsonData
	}
	return d
}

func (v view) dashboardModel(ref contract.Ref) string {
	title := ""
	if !v.own() {
		title = " of " + ref.Service
	}
	return strings.NewReplacer("DATASOURCE_UID", v.datasourceUID(ref), "DASHBOARD_UID", v.dashboardUID(ref), "TITLE_SUFFIX", title).
		Replace(file(v.dashboard, "", nil).Content)
}

// add gives a stack's components what the view needs: an own Grafana behind them, or access to another one.
func (v view) add(ref contract.Ref, components []contract.Component) []contract.Component {
	if v.own() {
		return append(components, v.component(ref))
	}
	for i := range components {
		c := &components[i]
		if c.Name != v.store {
			continue
		}
		if owner, ok := v.owner(); ok {
			c.Joins = addJoin(c.Joins, ref, owner, c.Name)
			continue
		}
		// Only the worker reads them, so they are root's.
		if v.in.TokenVersion != nil {
			c.Secrets = append(c.Secrets, contract.Secret{Name: GrafanaTokenSecret, Mode: 0o400, Version: v.in.TokenVersion})
		} else {
			c.Secrets = append(c.Secrets, contract.Secret{Name: GrafanaPasswordSecret, Mode: 0o400, Version: v.in.AdminPasswordVersion})
		}
	}
	return components
}

// objects are what goes into another's Grafana; nil with an own one.
func (v view) objects(ref contract.Ref) *contract.GrafanaObjects {
	if v.own() {
		return nil
	}
	o := &contract.GrafanaObjects{
		URL: strings.TrimSuffix(*v.in.URL, "/"), User: or(v.in.AdminUser, GrafanaAdminUser),
		FolderUID: v.datasourceUID(ref), FolderTitle: "Orch " + v.kind.Short + " " + ref.Service,
		Datasource: mustJSON(v.datasource(ref)), Dashboards: []json.RawMessage{json.RawMessage(v.dashboardModel(ref))},
		Attribute: "grafana.url",
	}
	own := contract.SecretRef{Ref: ref, Component: v.store}
	if owner, ok := v.owner(); ok {
		o.Password = &contract.SecretRef{Ref: owner, Component: GrafanaName, Name: GrafanaAdminSecret}
	} else if v.in.TokenVersion != nil {
		own.Name, o.User = GrafanaTokenSecret, ""
		o.Token = &own
	} else {
		own.Name = GrafanaPasswordSecret
		o.Password = &own
	}
	return o
}

// component is a pipeline's own Grafana.
func (v view) component(ref contract.Ref) contract.Component {
	user := or(v.in.AdminUser, GrafanaAdminUser)
	provisioned := map[string]any{"apiVersion": 1, "datasources": []any{v.datasource(ref)}}
	return contract.Component{
		Name: GrafanaName, InputPath: "grafana",
		Image: or(v.in.Image, GrafanaImage), MemoryMB: or(v.in.MemoryMB, GrafanaMemoryMB), CPUs: or(v.in.CPUs, 0),
		Env: map[string]string{
			"GF_SECURITY_ADMIN_USER":                user,
			"GF_SECURITY_ADMIN_PASSWORD__FILE":      contract.SecretsPath + "/" + GrafanaAdminSecret,
			"GF_USERS_ALLOW_SIGN_UP":                "false",
			"GF_AUTH_ANONYMOUS_ENABLED":             "false",
			"GF_ANALYTICS_REPORTING_ENABLED":        "false",
			"GF_ANALYTICS_CHECK_FOR_UPDATES":        "false",
			"GF_PLUGINS_PREINSTALL_DISABLED":        "true",
			"GF_PLUGINS_PREINSTALL_AUTO_UPDATE":     "false",
			"GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
		},
		Ports: []contract.Port{{Name: "http", Container: 3000, Host: int(or(v.in.Port, v.defaultPort)), Attribute: "grafana.port"}},
		Files: []contract.File{
			file("grafana-dashboards.yaml", "/etc/grafana/provisioning/dashboards/orch.yaml", nil),
			// JSON is YAML. Grafana takes a "$" in provisioning files for an environment variable.
			{
				Path: "/etc/grafana/provisioning/datasources/" + v.uid + ".yaml", Mode: 0o444,
				Content: strings.ReplaceAll(string(mustJSON(provisioned)), "$", "$$") + "\n",
			},
			{Path: "/etc/orch/dashboards/" + v.dashboardUID(ref) + ".json", Content: v.dashboardModel(ref), Mode: 0o444},
		},
		Volumes: []contract.Volume{{Name: ref.Volume(GrafanaName, "data"), Path: "/var/lib/grafana", UID: grafanaUID, GID: grafanaUID}},
		Secrets: []contract.Secret{{
			Name: GrafanaAdminSecret, UID: grafanaUID, GID: grafanaUID, Mode: 0o400,
			Version: v.in.AdminPasswordVersion, Rotation: contract.RotateGrafana, User: user,
		}},
		StopTimeout: 30,
		Probe:       contract.Probe{Port: "http", Path: "/api/health", Contains: `"database"`, TimeoutSeconds: 120},
	}
}

// canary is a signal that is written to a component and read back through the view's data source.
func (v view) canary(ref contract.Ref, signal, component, port string) contract.Canary {
	return contract.Canary{Signal: signal, Component: component, Port: port, DatasourceUID: v.datasourceUID(ref), TimeoutSeconds: 60}
}

// endpoint is where the Grafana that shows the pipeline is.
func (v view) endpoint(host string) string {
	if v.own() {
		return "http://" + hostPort(host, or(v.in.Port, v.defaultPort))
	}
	return strings.TrimSuffix(*v.in.URL, "/")
}

// check finds settings that contradict each other: those of an own Grafana and those of another one.
func (v view) check() []Problem {
	var problems []Problem
	only := func(attribute string, set bool, message string) {
		if set {
			problems = append(problems, Problem{"grafana." + attribute, message})
		}
	}
	if v.own() {
		const needsURL = "this is for a Grafana that the pipeline does not own: set grafana.url too"
		only("pipeline_id", v.in.PipelineID != nil, needsURL)
		only("token_wo_version", v.in.TokenVersion != nil, needsURL)
		only("datasource_url", v.in.DatasourceURL != nil, needsURL)
		return problems
	}
	const needsOwn = "this is for a Grafana of the pipeline's own: remove it, or grafana.url"
	only("image", v.in.Image != nil, needsOwn)
	only("port", v.in.Port != nil, needsOwn)
	only("memory_mb", v.in.MemoryMB != nil, needsOwn)
	only("cpus", v.in.CPUs != nil, needsOwn)
	problems = append(problems, checkURL("grafana.url", *v.in.URL)...)
	ways := 0
	for _, set := range []bool{v.in.PipelineID != nil, v.in.TokenVersion != nil, v.in.AdminPasswordVersion != nil} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		problems = append(problems, Problem{"grafana.url", "say in one way how to log in: pipeline_id of the pipeline that owns the Grafana, " +
			"token_wo with token_wo_version, or admin_password_wo with admin_password_wo_version"})
	}
	if v.in.PipelineID != nil {
		if _, err := contract.ParseID(*v.in.PipelineID); err != nil {
			problems = append(problems, Problem{"grafana.pipeline_id", err.Error()})
		}
	} else if v.in.DatasourceURL == nil {
		problems = append(problems, Problem{"grafana.datasource_url", "tell how that Grafana reaches this pipeline's " + v.store +
			", for example http://192.0.2.10:" + v.port})
	}
	if v.in.DatasourceURL != nil {
		problems = append(problems, checkURL("grafana.datasource_url", *v.in.DatasourceURL)...)
	}
	return problems
}

func mustJSON(v any) json.RawMessage {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("catalog: " + err.Error()) // maps of strings, numbers and lists only
	}
	return data
}
