package resources

import (
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// The image takes the first password as "neo4j/<password>", a line of text.
var neo4jPassword = []validator.String{
	stringvalidator.LengthAtLeast(minSecretLength),
	stringvalidator.RegexMatches(regexp.MustCompile(`^[^/\r\n]*$`), "it takes no slash and no line break, which Neo4j cannot read"),
}

func neo4jSchema() schema.Attribute {
	megabytes := func(what string, standard int) schema.Int64Attribute {
		return schema.Int64Attribute{Optional: true, MarkdownDescription: fmt.Sprintf("%s Default: `%d`.", what, standard)}
	}
	return componentBlock("Neo4j, the graph database.", catalog.Neo4jImage, catalog.Neo4jMemoryMB, merged(
		map[string]schema.Attribute{
			"http_port":     portAttribute("Neo4j's browser and HTTP API", catalog.Neo4jHTTPPort),
			"bolt_port":     portAttribute("Bolt, which drivers use", catalog.Neo4jBoltPort),
			"heap_mb":       megabytes("Java heap in MiB. Heap and page cache together must be less than `memory_mb`.", catalog.Neo4jHeapMB),
			"page_cache_mb": megabytes("Page cache in MiB, which holds what is on disk.", catalog.Neo4jPageCacheMB),
			"plugins": schema.ListAttribute{
				Optional: true, ElementType: types.StringType, Validators: []validator.List{listvalidator.NoNullValues()},
				MarkdownDescription: "Plugins by the names that the image knows, for example `[\"apoc\"]`. Some are downloaded at start. " +
					"Default: none.",
			},
		},
		secretAttributes("password", fmt.Sprintf("Password of the user `%s`: at least %d characters, without `/`. Raising the version "+
			"changes it in a database that has data already as well.", catalog.Neo4jUser, minSecretLength), generated, neo4jPassword...),
	))
}

// Clients send the key in an HTTP header.
var qdrantKey = []validator.String{
	stringvalidator.LengthAtLeast(minSecretLength),
	stringvalidator.RegexMatches(regexp.MustCompile(`^[!-~]*$`), "it takes printable ASCII characters without spaces, because clients send it in an HTTP header"),
}

func qdrantSchema() schema.Attribute {
	return componentBlock("Qdrant, the vector database.", catalog.QdrantImage, catalog.QdrantMemoryMB, merged(
		map[string]schema.Attribute{
			"http_port": portAttribute("Qdrant's REST API and dashboard", catalog.QdrantHTTPPort),
			"grpc_port": portAttribute("Qdrant's gRPC API", catalog.QdrantGRPCPort),
		},
		secretAttributes("api_key", fmt.Sprintf("API key that clients must send: at least %d printable ASCII characters.", minSecretLength), generated, qdrantKey...),
	))
}

// databaseSecrets are the write-only values of the databases, which must come from the configuration.
func databaseSecrets(neo4j, qdrant types.Object) map[string]string {
	secrets := map[string]string{}
	if password := textOf(neo4j, "password_wo"); !password.IsNull() {
		secrets[catalog.Neo4jName+"/"+catalog.Neo4jPasswordSecret] = password.ValueString()
	}
	if key := textOf(qdrant, "api_key_wo"); !key.IsNull() {
		secrets[catalog.QdrantName+"/"+catalog.QdrantAPIKeySecret] = key.ValueString()
	}
	return secrets
}
