# Logs, metrics and traces in one Grafana, with links between them.
terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {}

locals {
  # The tracing pipeline links to the logs, and the logs pipeline refers to the tracing pipeline: one of the two has to be
  # told by name. This is the uid of a logs pipeline's data source in another pipeline's Grafana, <scope>-logs-<service_name>.
  logs_datasource_uid = "orch-logs-${var.service_name}"
}

# Its Grafana is the one that all three use.
resource "orch_tracing_pipeline" "app" {
  service_name    = var.service_name
  delete_volumes  = var.delete_volumes
  pull_policy     = var.pull_policy
  registry_mirror = var.registry_mirror

  jaeger = {
    image = var.jaeger_image
    port  = var.jaeger_port
  }

  grafana = {
    image               = var.grafana_image
    port                = var.grafana_port
    logs_datasource_uid = local.logs_datasource_uid
  }
}

resource "orch_metrics_pipeline" "app" {
  service_name    = var.service_name
  delete_volumes  = var.delete_volumes
  pull_policy     = var.pull_policy
  registry_mirror = var.registry_mirror

  prometheus = {
    image = var.prometheus_image
    port  = var.prometheus_port

    # The Collector of the logs pipeline below, which joins this pipeline's network.
    scrape_targets = [
      {
        targets = ["otel-collector.${var.service_name}.logs:8888"]
        labels  = { job = "otel-collector" }
      },
    ]
  }

  grafana = {
    url                   = orch_tracing_pipeline.app.endpoints["grafana"]
    pipeline_id           = orch_tracing_pipeline.app.id
    traces_datasource_uid = orch_tracing_pipeline.app.datasource_uid
  }
}

# Applications send all three signals to its Collector.
resource "orch_logs_pipeline" "app" {
  service_name    = var.service_name
  delete_volumes  = var.delete_volumes
  pull_policy     = var.pull_policy
  registry_mirror = var.registry_mirror

  collector = {
    image            = var.collector_image
    grpc_port        = var.otlp_grpc_port
    http_port        = var.otlp_http_port
    metrics_endpoint = orch_metrics_pipeline.app.endpoints["otlp_http_internal"]
    traces_endpoint  = orch_tracing_pipeline.app.endpoints["otlp_http_internal"]
  }

  loki = {
    image = var.loki_image
    port  = var.loki_port
  }

  grafana = {
    url                   = orch_tracing_pipeline.app.endpoints["grafana"]
    pipeline_id           = orch_tracing_pipeline.app.id
    traces_datasource_uid = orch_tracing_pipeline.app.datasource_uid
  }
}
