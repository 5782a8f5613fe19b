# A service on top of a database pipeline: it joins the pipeline's network by reference and reads its password from there.
terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {}

resource "orch_database_pipeline" "graph" {
  service_name   = var.service_name
  delete_volumes = var.delete_volumes

  neo4j = {
    image     = var.neo4j_image
    http_port = var.neo4j_http_port
    bolt_port = var.neo4j_bolt_port
  }

  qdrant = {
    image     = var.qdrant_image
    http_port = var.qdrant_http_port
    grpc_port = var.qdrant_grpc_port
  }
}

resource "orch_container_service" "knowledge_graph" {
  service_name   = var.service_name
  delete_volumes = var.delete_volumes

  image   = var.image
  command = var.command

  env = {
    # The addresses join the pipeline's network.
    NEO4J_URI           = orch_database_pipeline.graph.endpoints["neo4j_bolt_internal"]
    NEO4J_USER          = "neo4j"
    NEO4J_PASSWORD_FILE = "/run/secrets/neo4j_password"
    QDRANT_URL          = orch_database_pipeline.graph.endpoints["qdrant_http_internal"]
    QDRANT_API_KEY_FILE = "/run/secrets/qdrant_api_key"
  }

  secrets = {
    neo4j_password = { service = { id = orch_database_pipeline.graph.id, component = "neo4j", name = "password" } }
    qdrant_api_key = { service = { id = orch_database_pipeline.graph.id, component = "qdrant", name = "api_key" } }
  }

  ports  = { http = { container = 8080 } }
  health = { http = { port = "http", path = var.health_path } }
}
