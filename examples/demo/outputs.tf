output "endpoints" {
  description = "Where the service answers, by name."
  value       = orch_logs_pipeline.app.endpoints
}

output "containers" {
  description = "The containers, by component."
  value       = orch_logs_pipeline.app.containers
}

output "web_ui_url" {
  description = "The run of the setup workflow in the Temporal Web UI."
  value       = orch_logs_pipeline.app.web_ui_url
}

output "next" {
  description = "What to try next."
  value       = <<-EOT
    See the logs:       ${orch_logs_pipeline.app.endpoints["grafana"]} (user admin; password: orch-worker secret logs ${var.service_name} grafana)
    Send logs by OTLP:  ${orch_logs_pipeline.app.endpoints["otlp_http"]}/v1/logs
    Query them:         curl -G ${orch_logs_pipeline.app.endpoints["loki"]}/loki/api/v1/query_range --data-urlencode 'query={service_name=~".+"}'
    Break something:    docker stop ${orch_logs_pipeline.app.containers["loki"].name} && terraform plan
    Remove everything:  terraform destroy
  EOT
}
