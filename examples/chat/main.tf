# A chat application that is built from source and remembers its conversations in Neo4j.
terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {}

resource "orch_chat_service" "app" {
  service_name   = var.service_name
  delete_volumes = var.delete_volumes

  # Change a file and apply: the plan names it, the new image is built, and the new container takes over when it is healthy.
  build = {
    context    = "${path.module}/app"
    dockerfile = var.dockerfile
    args       = { VERSION = var.chat_version }
  }

  ports  = { http = { container = 8080, host = var.port } }
  health = { http = { port = "http", path = "/health" } }

  neo4j = {
    image     = var.neo4j_image
    http_port = var.neo4j_http_port
    bolt_port = var.neo4j_bolt_port
  }
}
