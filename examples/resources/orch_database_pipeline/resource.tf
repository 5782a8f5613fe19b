# Everything has a default. Password and API key are generated; these print them on the worker's host:
#   orch-worker secret database app neo4j
#   orch-worker secret database app qdrant
resource "orch_database_pipeline" "app" {
  service_name = "app"
}

# A second one on the same host needs other ports.
resource "orch_database_pipeline" "batch" {
  service_name = "batch"

  neo4j = {
    http_port     = 17474
    bolt_port     = 17687
    memory_mb     = 4096
    heap_mb       = 2048
    page_cache_mb = 1024
    plugins       = ["apoc"]
  }

  qdrant = {
    http_port = 16333
    grpc_port = 16334
  }
}

output "connect_to" {
  value = {
    neo4j  = orch_database_pipeline.app.endpoints["neo4j_bolt"]
    qdrant = orch_database_pipeline.app.endpoints["qdrant_http"]
  }
}
