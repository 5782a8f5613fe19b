package resources

import (
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

type databasePipelineModel struct {
	base
	shared
	Neo4j  types.Object `tfsdk:"neo4j"`
	Qdrant types.Object `tfsdk:"qdrant"`
}

const databasePipelineDescription = `A graph database and a vector database on one Docker Engine, Neo4j and Qdrant, started at the same time.

Everything has a default, so that a service name is enough: a password and an API key that nobody sets are generated, and
` + "`orch-worker secret`" + ` prints them on the worker's host. The apply is finished when a node and a vector have been written, read back
and deleted; if that fails, the error message says why and what was made is removed again.`

func newDatabasePipeline() resource.Resource {
	return define[databasePipelineModel](catalog.DatabasePipeline, databasePipelineDescription, map[string]schema.Attribute{
		"neo4j":  neo4jSchema(),
		"qdrant": qdrantSchema(),
	})
}

func (m *databasePipelineModel) secrets() map[string]string {
	return databaseSecrets(m.Neo4j, m.Qdrant)
}
