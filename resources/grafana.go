package resources

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// tracesLink is the attribute that linkedToTraces adds.
func tracesLink(what string) map[string]schema.Attribute {
	return map[string]schema.Attribute{"traces_datasource_uid": schema.StringAttribute{
		Optional: true, Validators: []validator.String{notEmpty},
		MarkdownDescription: what + " lead to their trace in the data source of this uid, which must be in the same Grafana: `datasource_uid` " +
			"of an `orch_tracing_pipeline`. Default: no links.",
	}}
}

// logsLink is the attribute that linkedToLogs adds. The uid is told as text, because a reference would close a circle.
func logsLink() map[string]schema.Attribute {
	return map[string]schema.Attribute{"logs_datasource_uid": schema.StringAttribute{
		Optional: true, Validators: []validator.String{notEmpty},
		MarkdownDescription: "Spans lead to their log lines in the data source of this uid, which must be in the same Grafana. A logs pipeline " +
			"that shows its data in another pipeline's Grafana has the uid `<scope>-logs-<service_name>`, for example `orch-logs-app`; write it " +
			"as text where that pipeline refers to this one. Default: no links.",
	}}
}

// grafanaSchema is the block of a pipeline's Grafana. store is what the data source asks, with an example of its address.
func grafanaSchema(port int, store, example string, link map[string]schema.Attribute) schema.Attribute {
	ofAnother := map[string]schema.Attribute{
		"url": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "URL, as the worker reaches it, of a Grafana that this pipeline does not own, for example " +
				"`orch_tracing_pipeline.app.endpoints.grafana`. The pipeline then starts none. Default: a Grafana of its own.",
		},
		"pipeline_id": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "`id` of the pipeline that owns the Grafana at `url`, on the same Docker Engine. Its administrator's password is " +
				"used to log in, and its network is joined, so that its Grafana reaches " + store + ". Where that pipeline sets `admin_user`, " +
				"repeat it here. Default: none.",
		},
		"datasource_url": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: fmt.Sprintf("%s as the Grafana at `url` reaches it, for example `%s`. Needed without `pipeline_id`. "+
				"Default: its address on the network of that pipeline.", store, example),
		},
	}
	own := map[string]schema.Attribute{
		"port": portAttribute("the user interface and API of the pipeline's own Grafana", port),
		"admin_user": schema.StringAttribute{
			Optional: true, Validators: []validator.String{notEmpty},
			MarkdownDescription: fmt.Sprintf("Login name of the administrator, also of the Grafana at `url`. Anonymous access to an own Grafana is "+
				"off. Default: `%s`.", catalog.GrafanaAdminUser),
		},
	}
	password := secretAttributes("admin_password", fmt.Sprintf("Password of `admin_user`: the one that an own Grafana gets, at least %d characters, "+
		"or the one that opens the Grafana at `url`.", minSecretLength), "Default: for an own Grafana one that is generated and can be printed on the "+
		"worker's host with `orch-worker secret`.", notEmpty, ownPasswordValidator{})
	token := secretAttributes("token", "Token of a service account of the Grafana at `url` that may edit data sources, folders and dashboards.",
		"Default: none.", notEmpty)
	return componentBlock("Grafana, which shows what is kept. Without `url` the pipeline has a Grafana of its own, to which `image`, `memory_mb`, "+
		"`cpus` and `port` belong. With `url` it uses that one: it adds a data source, a folder and a dashboard there, and destroying the pipeline "+
		"removes just those. To log in there, set one of `pipeline_id`, `token_wo` and `admin_password_wo`.",
		catalog.GrafanaImage, catalog.GrafanaMemoryMB, merged(own, password, ofAnother, token, link))
}

// ownPasswordValidator keeps out the shortest passwords of a Grafana that the pipeline owns. Another one has what it has.
type ownPasswordValidator struct{}

func (ownPasswordValidator) Description(context.Context) string {
	return fmt.Sprintf("at least %d characters for a Grafana of the pipeline's own", minSecretLength)
}

func (v ownPasswordValidator) MarkdownDescription(ctx context.Context) string {
	return v.Description(ctx)
}

func (v ownPasswordValidator) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	var url types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, req.Path.ParentPath().AtName("url"), &url)...)
	if url.IsNull() && len(req.ConfigValue.ValueString()) < minSecretLength {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid password", Sentence("it takes "+v.Description(ctx)))
	}
}

// grafanaSecrets are the write-only values of a Grafana block, which must come from the configuration: plan and state never hold
// them. What opens a Grafana that is not the pipeline's own is kept with store, the component that is shown.
func grafanaSecrets(grafana types.Object, store string) map[string]string {
	secrets := map[string]string{}
	keep := func(component, name, attribute string) {
		if value := textOf(grafana, attribute); !value.IsNull() {
			secrets[component+"/"+name] = value.ValueString()
		}
	}
	if textOf(grafana, "url").IsNull() {
		keep(catalog.GrafanaName, catalog.GrafanaAdminSecret, "admin_password_wo")
		return secrets
	}
	keep(store, catalog.GrafanaPasswordSecret, "admin_password_wo")
	keep(store, catalog.GrafanaTokenSecret, "token_wo")
	return secrets
}
