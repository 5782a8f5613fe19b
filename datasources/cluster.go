package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

type cluster struct{ connected }

var _ datasource.DataSourceWithConfigure = (*cluster)(nil)

func newCluster() datasource.DataSource { return &cluster{} }

type clusterModel struct {
	Address           types.String              `tfsdk:"address"`
	TLS               types.Bool                `tfsdk:"tls"`
	Namespace         types.String              `tfsdk:"namespace"`
	WebUIURL          types.String              `tfsdk:"web_ui_url"`
	ServerVersion     types.String              `tfsdk:"server_version"`
	ClusterName       types.String              `tfsdk:"cluster_name"`
	ClusterID         types.String              `tfsdk:"cluster_id"`
	PersistenceStore  types.String              `tfsdk:"persistence_store"`
	VisibilityStore   types.String              `tfsdk:"visibility_store"`
	HistoryShardCount types.Int64               `tfsdk:"history_shard_count"`
	Capabilities      map[string]bool           `tfsdk:"capabilities"`
	Namespaces        map[string]namespaceModel `tfsdk:"namespaces"`
}

type namespaceModel struct {
	ID             types.String    `tfsdk:"id"`
	Description    types.String    `tfsdk:"description"`
	State          types.String    `tfsdk:"state"`
	RetentionHours types.Float64   `tfsdk:"retention_hours"`
	Capabilities   map[string]bool `tfsdk:"capabilities"`
}

// Metadata implements datasource.DataSource.
func (*cluster) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cluster"
}

// Schema implements datasource.DataSource.
func (*cluster) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = clusterSchema()
}

// Read implements datasource.DataSource.
func (c *cluster) Read(ctx context.Context, _ datasource.ReadRequest, resp *datasource.ReadResponse) {
	if !c.ready(&resp.Diagnostics) {
		return
	}
	d, err := c.conn.Runner.DescribeCluster(ctx)
	if err != nil {
		addFailure(&resp.Diagnostics, "the Temporal cluster", err)
		return
	}
	at := c.conn.Runner.Resolved()
	m := clusterModel{
		Address: types.StringValue(at.Address), TLS: types.BoolValue(at.TLS), Namespace: types.StringValue(at.Namespace), WebUIURL: orNull(at.WebUIURL),
		ServerVersion: orNull(d.ServerVersion), ClusterName: orNull(d.Name), ClusterID: orNull(d.ID),
		PersistenceStore: orNull(d.PersistenceStore), VisibilityStore: orNull(d.VisibilityStore),
		Capabilities: d.Capabilities, Namespaces: map[string]namespaceModel{},
	}
	if d.HistoryShards > 0 {
		m.HistoryShardCount = types.Int64Value(int64(d.HistoryShards))
	}
	for _, n := range d.Namespaces {
		m.Namespaces[n.Name] = namespaceModel{
			ID: orNull(n.ID), Description: orNull(n.Description), State: types.StringValue(n.State),
			RetentionHours: types.Float64Value(n.Retention.Hours()), Capabilities: n.Capabilities,
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
