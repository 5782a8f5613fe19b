package datasources

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

type logFiles struct{ connected }

var _ datasource.DataSourceWithConfigure = (*logFiles)(nil)

func newLogFiles() datasource.DataSource { return &logFiles{} }

type logFilesModel struct {
	ServiceName types.String     `tfsdk:"service_name"`
	TaskQueue   types.String     `tfsdk:"task_queue"`
	Files       *filesModel      `tfsdk:"files"`
	Containers  *containersModel `tfsdk:"containers"`
	Timeouts    timeouts.Value   `tfsdk:"timeouts"`
	Host        types.String     `tfsdk:"host"`
	EngineID    types.String     `tfsdk:"engine_id"`
	Sources     []sourceModel    `tfsdk:"sources"`
	Unreadable  []string         `tfsdk:"unreadable"`
}

type filesModel struct {
	Include  []string    `tfsdk:"include"`
	Exclude  []string    `tfsdk:"exclude"`
	MaxDepth types.Int64 `tfsdk:"max_depth"`
}

type containersModel struct {
	Labels  map[string]string `tfsdk:"labels"`
	Names   []string          `tfsdk:"names"`
	Service types.String      `tfsdk:"service"`
}

type sourceModel struct {
	Path        types.String      `tfsdk:"path"`
	Container   types.String      `tfsdk:"container"`
	ContainerID types.String      `tfsdk:"container_id"`
	Bytes       types.Int64       `tfsdk:"bytes"`
	ModifiedAt  types.String      `tfsdk:"modified_at"`
	Labels      map[string]string `tfsdk:"labels"`
}

// Metadata implements datasource.DataSource.
func (*logFiles) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_log_files"
}

// Schema implements datasource.DataSource.
func (*logFiles) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = logFilesSchema(ctx)
}

// Read implements datasource.DataSource.
func (l *logFiles) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m logFilesModel
	diags := &resp.Diagnostics
	diags.Append(req.Config.Get(ctx, &m)...)
	if diags.HasError() || !l.ready(diags) {
		return
	}
	in := m.input()
	for _, problem := range in.Validate() {
		block, _, _ := strings.Cut(problem.Attribute, ".") // Terraform quotes no line of an attribute within another
		diags.AddAttributeError(path.Root(block), "Invalid "+problem.Attribute, sentence(problem.Message))
	}
	timeout, d := m.Timeouts.Read(ctx, readTimeout)
	diags.Append(d...)
	m.TaskQueue = types.StringValue(l.conn.Runner.Queue(m.TaskQueue.ValueString(), m.ServiceName.ValueString()))
	if diags.HasError() {
		return
	}
	found := l.discover(ctx, &m, in, timeout, diags)
	if diags.HasError() {
		return
	}
	m.Host, m.EngineID = orNull(found.Host), orNull(found.EngineID)
	m.Unreadable, m.Sources = append([]string{}, found.Unreadable...), []sourceModel{}
	for _, s := range found.Sources {
		m.Sources = append(m.Sources, newSource(s))
	}
	diags.Append(resp.State.Set(ctx, &m)...)
}

func (m *logFilesModel) input() catalog.StdoutIngestInput {
	var in catalog.StdoutIngestInput
	if f := m.Files; f != nil {
		in.Files = &catalog.LogFilesInput{Include: f.Include, Exclude: f.Exclude, MaxDepth: f.MaxDepth.ValueInt64Pointer()}
	}
	if c := m.Containers; c != nil {
		in.Containers = &catalog.LogContainersInput{Labels: c.Labels, Names: c.Names, Service: c.Service.ValueStringPointer()}
	}
	return in
}

func (l *logFiles) discover(ctx context.Context, m *logFilesModel, in catalog.StdoutIngestInput, timeout time.Duration, diags *diag.Diagnostics) contract.Discovered {
	var found contract.Discovered
	data, err := json.Marshal(in)
	if err == nil {
		_, err = l.conn.Runner.Status(ctx, runner.Call{
			Kind: contract.StdoutIngest, WorkflowType: contract.StdoutIngest.DiscoverWorkflow(), TaskQueue: m.TaskQueue.ValueString(), Timeout: timeout,
			Request: contract.Request{ServiceName: m.ServiceName.ValueString(), Scope: l.conn.Scope, Operation: contract.OpStatus, Input: data},
		}, &found)
	}
	if err != nil {
		addFailure(diags, "the logs of "+m.ServiceName.ValueString(), err)
	}
	return found
}

func newSource(s contract.LogSource) sourceModel {
	m := sourceModel{
		Path: orNull(s.Path), Container: orNull(s.Container), ContainerID: orNull(s.ID), Bytes: types.Int64Null(),
		ModifiedAt: types.StringValue(s.Modified.Format(time.RFC3339)), Labels: s.Labels,
	}
	if s.Path != "" {
		m.Bytes = types.Int64Value(s.Bytes)
	}
	return m
}
