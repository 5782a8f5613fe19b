# Everything has a default.
resource "orch_logs_pipeline" "app" {
  service_name = "app"
}

# A second one on the same host needs other ports.
resource "orch_logs_pipeline" "batch" {
  service_name = "batch"

  collector = {
    grpc_port = 14317
    http_port = 14318
  }

  loki = {
    port      = 13100
    retention = "30d"
  }

  grafana = {
    port = 13000
  }
}

output "send_logs_to" {
  value = orch_logs_pipeline.app.endpoints["otlp_http"]
}
