package catalog

import "github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"

// DatabasePipelineInput is the input of orch_database_pipeline as written: nil where an attribute is absent.
type DatabasePipelineInput struct {
	Shared
	Neo4j  *Neo4jInput  `json:"neo4j"`
	Qdrant *QdrantInput `json:"qdrant"`
}

// DatabasePipeline runs a graph database and a vector database, started at the same time.
var DatabasePipeline = Pipeline[DatabasePipelineInput]{
	Kind:    contract.DatabasePipeline,
	Message: "Database pipeline fully configured: Neo4j + Qdrant",
	Shared:  func(in DatabasePipelineInput) Shared { return in.Shared },
	Components: func(ref contract.Ref, in DatabasePipelineInput) []contract.Component {
		return []contract.Component{neo4j(ref, orZero(in.Neo4j)), qdrant(ref, orZero(in.Qdrant))}
	},
	Canaries: func(ref contract.Ref, _ DatabasePipelineInput) []contract.Canary {
		return []contract.Canary{
			{
				Signal: contract.SignalCypher, Component: Neo4jName, Port: "bolt", User: Neo4jUser, TimeoutSeconds: 60,
				Secret: &contract.SecretRef{Ref: ref, Component: Neo4jName, Name: Neo4jPasswordSecret},
			},
			{
				Signal: contract.SignalVector, Component: QdrantName, Port: "http", TimeoutSeconds: 60,
				Secret: &contract.SecretRef{Ref: ref, Component: QdrantName, Name: QdrantAPIKeySecret},
			},
		}
	},
	Endpoints: func(ref contract.Ref, in DatabasePipelineInput) map[string]string {
		host := in.reachable()
		q := orZero(in.Qdrant)
		endpoints := neo4jEndpoints(ref, host, orZero(in.Neo4j))
		endpoints["qdrant_http"] = "http://" + hostPort(host, or(q.HTTPPort, QdrantHTTPPort))
		endpoints["qdrant_http_internal"] = "http://" + ref.Alias(QdrantName) + ":6333"
		endpoints["qdrant_grpc"] = hostPort(host, or(q.GRPCPort, QdrantGRPCPort))
		return endpoints
	},
	Check: func(in DatabasePipelineInput) []Problem { return checkNeo4j(orZero(in.Neo4j)) },
}
