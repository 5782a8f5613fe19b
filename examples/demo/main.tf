terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {}

resource "orch_logs_pipeline" "app" {
  service_name = var.service_name

  # A demo leaves nothing behind. Where data matters, leave this out.
  delete_volumes = true

  pull_policy     = var.pull_policy
  registry_mirror = var.registry_mirror

  collector = {
    image     = var.collector_image
    grpc_port = var.otlp_grpc_port
    http_port = var.otlp_http_port
  }

  loki = {
    image = var.loki_image
    port  = var.loki_port
  }

  grafana = {
    image = var.grafana_image
    port  = var.grafana_port
  }
}
