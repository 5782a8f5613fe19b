terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {}

# First the pipeline that takes the logs, ...
resource "orch_logs_pipeline" "logs" {
  service_name = "logs-first"
}

# ... and the application, ...
resource "orch_container_service" "app" {
  service_name = "app-of-logs"

  image   = var.image
  command = var.command
}

# ... then the ingest, which needs the address of the one and the container of the other.
resource "orch_stdout_ingest" "app" {
  service_name = "ingest-after"

  endpoint = orch_logs_pipeline.logs.endpoints["otlp_http"]

  containers = {
    names = [for c in orch_container_service.app.containers : c.name]
  }

  files = {
    include = var.log_files
  }

  labels = {
    "deployment.environment.name" = "example"
  }

  # Loki as a data source of the pipeline's Grafana, under a name of the application's own.
  grafana = {
    url         = orch_logs_pipeline.logs.endpoints["grafana"]
    pipeline_id = orch_logs_pipeline.logs.id
  }
}
