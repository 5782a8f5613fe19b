package datasources

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

type taskQueue struct{ connected }

var _ datasource.DataSourceWithConfigure = (*taskQueue)(nil)

func newTaskQueue() datasource.DataSource { return &taskQueue{} }

type taskQueueModel struct {
	Name    types.String            `tfsdk:"name"`
	Polled  types.Bool              `tfsdk:"polled"`
	Pollers []pollerModel           `tfsdk:"pollers"`
	Backlog map[string]backlogModel `tfsdk:"backlog"`
}

type pollerModel struct {
	Identity       types.String `tfsdk:"identity"`
	Kind           types.String `tfsdk:"kind"`
	LastAccessTime types.String `tfsdk:"last_access_time"`
	Alive          types.Bool   `tfsdk:"alive"`
}

type backlogModel struct {
	Count        types.Int64   `tfsdk:"count"`
	AgeSeconds   types.Float64 `tfsdk:"age_seconds"`
	AddRate      types.Float64 `tfsdk:"add_rate"`
	DispatchRate types.Float64 `tfsdk:"dispatch_rate"`
}

// Metadata implements datasource.DataSource.
func (*taskQueue) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_task_queue"
}

// Schema implements datasource.DataSource.
func (*taskQueue) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = taskQueueSchema()
}

// Read implements datasource.DataSource.
func (q *taskQueue) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m taskQueueModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !q.ready(&resp.Diagnostics) {
		return
	}
	name := m.Name.ValueString()
	d, err := q.conn.Runner.DescribeQueue(ctx, name)
	if err != nil {
		addFailure(&resp.Diagnostics, "task queue "+name, err)
		return
	}
	// A workflow needs somebody for its own tasks; activities may be somebody else's.
	m.Polled = types.BoolValue(slices.ContainsFunc(d.Pollers, func(p runner.Poller) bool { return p.Alive && p.Kind == "workflow" }))
	m.Pollers = []pollerModel{}
	for _, p := range d.Pollers {
		m.Pollers = append(m.Pollers, pollerModel{
			Identity: types.StringValue(p.Identity), Kind: types.StringValue(p.Kind), LastAccessTime: stamp(p.LastAccess), Alive: types.BoolValue(p.Alive),
		})
	}
	m.Backlog = map[string]backlogModel{}
	for kind, b := range d.Backlogs {
		m.Backlog[kind] = backlogModel{
			Count: types.Int64Value(b.Count), AgeSeconds: types.Float64Value(b.Age.Seconds()),
			AddRate: types.Float64Value(b.AddRate), DispatchRate: types.Float64Value(b.DispatchRate),
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
