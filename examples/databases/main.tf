# A graph database and a vector database, with passwords that stand neither in state nor in a plan.
terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {}

resource "orch_database_pipeline" "app" {
  service_name    = var.service_name
  delete_volumes  = var.delete_volumes
  pull_policy     = var.pull_policy
  registry_mirror = var.registry_mirror

  neo4j = {
    image     = var.neo4j_image
    http_port = var.neo4j_http_port
    bolt_port = var.neo4j_bolt_port

    # Change the password, raise the version, and apply: it is changed in the database that has the data.
    password_wo         = var.neo4j_password
    password_wo_version = var.neo4j_password_version
  }

  qdrant = {
    image     = var.qdrant_image
    http_port = var.qdrant_http_port
    grpc_port = var.qdrant_grpc_port

    api_key_wo         = var.qdrant_api_key
    api_key_wo_version = var.qdrant_api_key_version
  }
}
