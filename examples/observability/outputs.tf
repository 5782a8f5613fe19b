output "endpoints" {
  description = "Where the services answer, by signal and name."
  value = {
    logs    = orch_logs_pipeline.app.endpoints
    metrics = orch_metrics_pipeline.app.endpoints
    traces  = orch_tracing_pipeline.app.endpoints
  }
}

output "datasource_uids" {
  description = "The data sources in Grafana, by signal."
  value = {
    logs    = orch_logs_pipeline.app.datasource_uid
    metrics = orch_metrics_pipeline.app.datasource_uid
    traces  = orch_tracing_pipeline.app.datasource_uid
  }
}

output "verification" {
  description = "Milliseconds from writing a log line, a metric and a span until each was read back through Grafana."
  value = merge(
    orch_logs_pipeline.app.verification,
    orch_metrics_pipeline.app.verification,
    orch_tracing_pipeline.app.verification,
  )
}

output "next" {
  description = "What to try next."
  value       = <<-EOT
    See everything:        ${orch_tracing_pipeline.app.endpoints["grafana"]} (user admin; password: orch-worker secret tracing ${var.service_name} grafana)
    Send all signals to:   ${orch_logs_pipeline.app.endpoints["otlp_http"]} (OTLP over HTTP) or ${orch_logs_pipeline.app.endpoints["otlp_grpc"]} (gRPC)
    Break something:       docker stop ${orch_metrics_pipeline.app.containers["prometheus"].name} && terraform plan
    Remove everything:     terraform destroy
  EOT
}
