# Everything has a default.
resource "orch_tracing_pipeline" "app" {
  service_name = "app"
}

# A second one on the same host needs another port, and shows its traces in the Grafana of the first.
resource "orch_tracing_pipeline" "batch" {
  service_name = "batch"

  jaeger = {
    port      = 26686
    retention = "30d"
  }

  grafana = {
    url         = orch_tracing_pipeline.app.endpoints["grafana"]
    pipeline_id = orch_tracing_pipeline.app.id
  }
}

# A Collector receives the spans and sends them on.
resource "orch_logs_pipeline" "app" {
  service_name = "app"

  collector = {
    traces_endpoint = orch_tracing_pipeline.app.endpoints["otlp_http_internal"]
  }
}

output "send_spans_to" {
  value = "${orch_logs_pipeline.app.endpoints["otlp_http"]}/v1/traces"
}
