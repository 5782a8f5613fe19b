package provider

import (
	"context"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/resources"
)

type model struct {
	Address           types.String `tfsdk:"address"`
	Namespace         types.String `tfsdk:"namespace"`
	APIKey            types.String `tfsdk:"api_key"`
	Profile           types.String `tfsdk:"profile"`
	ConfigFile        types.String `tfsdk:"config_file"`
	TLS               types.Object `tfsdk:"tls"`
	Headers           types.Map    `tfsdk:"headers"`
	WebUIURL          types.String `tfsdk:"web_ui_url"`
	TaskQueue         types.String `tfsdk:"task_queue"`
	Scope             types.String `tfsdk:"scope"`
	EncryptionKeyFile types.String `tfsdk:"encryption_key_file"`
}

type tlsModel struct {
	CACertFile     types.String `tfsdk:"ca_cert_file"`
	ClientCertFile types.String `tfsdk:"client_cert_file"`
	ClientKeyFile  types.String `tfsdk:"client_key_file"`
	ServerName     types.String `tfsdk:"server_name"`
	Disabled       types.Bool   `tfsdk:"disabled"`
}

func (t tlsModel) hasCertificates() bool {
	return !t.CACertFile.IsNull() || !t.ClientCertFile.IsNull() || !t.ClientKeyFile.IsNull() || !t.ServerName.IsNull()
}

// tls is the tls object, or nil when it is absent or not known yet.
func (m model) tls(ctx context.Context, diags *diag.Diagnostics) *tlsModel {
	if m.TLS.IsNull() || m.TLS.IsUnknown() {
		return nil
	}
	var t tlsModel
	diags.Append(m.TLS.As(ctx, &t, basetypes.ObjectAsOptions{})...)
	return &t
}

// config is m for the runner. An absent value is empty there, which means: look in the environment, then in the profile
// file.
func (m model) config(ctx context.Context, diags *diag.Diagnostics) runner.Config {
	cfg := runner.Config{
		Address:    m.Address.ValueString(),
		Namespace:  m.Namespace.ValueString(),
		APIKey:     m.APIKey.ValueString(),
		Profile:    m.Profile.ValueString(),
		ConfigFile: m.ConfigFile.ValueString(),
		WebUIURL:   m.WebUIURL.ValueString(),
		TaskQueue:  m.TaskQueue.ValueString(),
		Scope:      m.Scope.ValueString(),
		KeyFile:    m.EncryptionKeyFile.ValueString(),
	}
	if !m.Headers.IsNull() {
		diags.Append(m.Headers.ElementsAs(ctx, &cfg.Headers, false)...)
	}
	if t := m.tls(ctx, diags); t != nil {
		cfg.TLS = &runner.TLS{
			CACertFile: t.CACertFile.ValueString(),
			CertFile:   t.ClientCertFile.ValueString(),
			KeyFile:    t.ClientKeyFile.ValueString(),
			ServerName: t.ServerName.ValueString(),
			Disabled:   t.Disabled.ValueBool(),
		}
	}
	return cfg
}

// webURL is how a link begins that a browser can follow.
var webURL = regexp.MustCompile(`^https?://[^/\s]`)

const description = `Drives pipelines as infrastructure: each resource is a service made of containers, or a deployment on Fly.io, Railway or
Render, set up and removed by a workflow on [Temporal](https://temporal.io) that a worker carries out next to a Docker Engine.
` + "`terraform apply`" + ` starts the setup workflow and waits until everything answers; ` + "`terraform destroy`" + ` starts the cleanup
workflow and waits until nothing is left but the volumes that are to be kept. ` + "`orch_workflow`" + ` does the same with any workflow of your own workers.

Two programs are needed: this provider, and ` + "`orch-worker`" + `. ` + "`orch-worker dev`" + ` is a Temporal server, its Web UI
and a worker in one process, and the provider finds it without any configuration. With a Temporal cluster or Temporal Cloud, run
` + "`orch-worker run`" + ` on the Docker host and point both at the cluster.

Each value is taken from the attribute; if that is absent from Temporal's environment variable named with it; if that is absent
from the profile in the ` + "`temporal.toml`" + ` file that the ` + "`temporal`" + ` CLI uses as well; and else it is the default.`

// Schema implements provider.Provider.
func (p *orch) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	notEmpty := []validator.String{stringvalidator.LengthAtLeast(1)}
	resp.Schema = schema.Schema{
		MarkdownDescription: description,
		Attributes: map[string]schema.Attribute{
			"address": schema.StringAttribute{
				Optional: true, Validators: notEmpty,
				MarkdownDescription: "Host and port of the Temporal frontend, for example `temporal.example.com:7233`. " +
					"Environment: `TEMPORAL_ADDRESS`. Default: `127.0.0.1:7233`, where `orch-worker dev` listens.",
			},
			"namespace": schema.StringAttribute{
				Optional: true, Validators: notEmpty,
				MarkdownDescription: "Temporal namespace. Environment: `TEMPORAL_NAMESPACE`. Default: `default`.",
			},
			"api_key": schema.StringAttribute{
				Optional: true, Sensitive: true, Validators: notEmpty,
				MarkdownDescription: "API key, for example of Temporal Cloud; it turns TLS on. Prefer the environment, which keeps it " +
					"out of configuration files. Environment: `TEMPORAL_API_KEY`.",
			},
			"profile": schema.StringAttribute{
				Optional: true, Validators: notEmpty,
				MarkdownDescription: "Profile to read from the configuration file. Environment: `TEMPORAL_PROFILE`. Default: `default`.",
			},
			"config_file": schema.StringAttribute{
				Optional: true, Validators: notEmpty,
				MarkdownDescription: "Path of the configuration file. Environment: `TEMPORAL_CONFIG_FILE`. Default: `temporal.toml` in the " +
					"`temporalio` directory of the user's configuration directory, where the `temporal` CLI keeps it.",
			},
			"tls": tlsSchema(notEmpty),
			"headers": schema.MapAttribute{
				Optional: true, Sensitive: true, ElementType: types.StringType, Validators: []validator.Map{headersValidator{}},
				MarkdownDescription: "Headers (gRPC metadata) sent with every call, for a gateway in front of Temporal that wants them. " +
					"Names are made lower-case, underscores become hyphens; the environment and the profile may add others. " +
					"Environment: `TEMPORAL_GRPC_META_<NAME>`.",
			},
			"web_ui_url": schema.StringAttribute{
				Optional: true, Validators: []validator.String{stringvalidator.RegexMatches(webURL, "must begin with http:// or https://")},
				MarkdownDescription: "Base URL of the Temporal Web UI, used for the links in attributes and messages, for example " +
					"`https://temporal.example.com`. Default: the Web UI of `orch-worker dev` for a loopback address, Temporal Cloud's for an " +
					"address there, and otherwise no links.",
			},
			"task_queue": schema.StringAttribute{
				Optional: true, Validators: notEmpty,
				MarkdownDescription: "Task queue that workflows are started on when the resource sets none. A worker must poll it. " +
					"Default: `<service_name>-queue`.",
			},
			"scope": schema.StringAttribute{
				Optional: true, Validators: []validator.String{scopeValidator{}},
				MarkdownDescription: "First part of the names of everything that is made, so that several configurations can use one Docker " +
					"Engine or one Temporal namespace: " + contract.ScopeRule + ". It is part of a resource's `id`: changing it affects " +
					"resources that are created afterwards, existing ones keep theirs. Default: `" + contract.DefaultScope + "`.",
			},
			"encryption_key_file": schema.StringAttribute{
				Optional: true, Validators: notEmpty,
				MarkdownDescription: "File with the keys that secrets are encrypted with on their way through Temporal, one " +
					"`<key-id>:<base64 of 32 bytes>` a line; the first one encrypts, the others still decrypt. The worker needs the same file. " +
					"Environment: `ORCH_ENCRYPTION_KEY_FILE`. Default: the file that `orch-worker dev` makes, `orch/encryption.key` in the user's " +
					"data directory.",
			},
		},
	}
}

func tlsSchema(notEmpty []validator.String) schema.SingleNestedAttribute {
	pair := func(other string) []validator.String {
		return append([]validator.String{stringvalidator.AlsoRequires(path.MatchRoot("tls").AtName(other))}, notEmpty...)
	}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "TLS for the connection to Temporal; `tls = {}` turns it on with the system's certificate authorities. " +
			"Environment: `TEMPORAL_TLS` and its relatives. Default: on with an API key, otherwise off.",
		Attributes: map[string]schema.Attribute{
			"ca_cert_file": schema.StringAttribute{
				Optional: true, Validators: notEmpty,
				MarkdownDescription: "PEM file with the certificate authorities that the server's certificate must come from. " +
					"Environment: `TEMPORAL_TLS_SERVER_CA_CERT_PATH`. Default: the system's.",
			},
			"client_cert_file": schema.StringAttribute{
				Optional: true, Validators: pair("client_key_file"),
				MarkdownDescription: "PEM file with the client's certificate, for mutual TLS. Environment: `TEMPORAL_TLS_CLIENT_CERT_PATH`.",
			},
			"client_key_file": schema.StringAttribute{
				Optional: true, Validators: pair("client_cert_file"),
				MarkdownDescription: "PEM file with the key of `client_cert_file`. Environment: `TEMPORAL_TLS_CLIENT_KEY_PATH`.",
			},
			"server_name": schema.StringAttribute{
				Optional: true, Validators: notEmpty,
				MarkdownDescription: "Name that the server's certificate must have when it is not the host of `address`. " +
					"Environment: `TEMPORAL_TLS_SERVER_NAME`.",
			},
			"disabled": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "`true` connects without TLS even where an API key or the environment would turn it on. Default: `false`.",
			},
		},
	}
}

// headersValidator applies the rules of gRPC for headers.
type headersValidator struct{}

func (headersValidator) Description(context.Context) string {
	return "names of letters, digits, hyphens and dots, values of printable ASCII characters"
}

func (v headersValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (headersValidator) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	for name, element := range req.ConfigValue.Elements() {
		value, ok := element.(types.String)
		if !ok || value.IsUnknown() {
			continue
		}
		if value.IsNull() {
			resp.Diagnostics.AddAttributeError(req.Path, "Invalid header", "The header "+name+" has no value. Leave it out, or give it one.")
			continue
		}
		if err := runner.ValidateHeader(name, value.ValueString()); err != nil {
			resp.Diagnostics.AddAttributeError(req.Path, "Invalid header", resources.Sentence(err.Error()))
		}
	}
}

// scopeValidator applies the contract's rule for scopes.
type scopeValidator struct{}

func (scopeValidator) Description(context.Context) string { return contract.ScopeRule }

func (v scopeValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (scopeValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := contract.ValidateScope(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid scope", resources.Sentence(err.Error()))
	}
}
