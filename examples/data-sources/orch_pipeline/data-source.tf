# A service that another configuration manages: where it answers.
data "orch_pipeline" "logs" {
  kind         = "logs_pipeline"
  service_name = "app"
}

output "send_logs_to" {
  value = "${data.orch_pipeline.logs.endpoints["otlp_http"]}/v1/logs"
}

# A monitor: each plan writes a log line and reads it back through Grafana. What goes wrong in a check block is a warning.
check "logs" {
  data "orch_pipeline" "verified" {
    kind         = "logs_pipeline"
    service_name = "app"
    verify       = true
  }

  assert {
    condition     = data.orch_pipeline.verified.status == "ready"
    error_message = "Not as configured: ${join("; ", data.orch_pipeline.verified.drift)}"
  }
}
