resource "orch_logs_pipeline" "app" {
  service_name = "app"
}

# The logs of all containers on the Docker host.
resource "orch_container_logs_ingest" "app" {
  service_name     = "app"
  logs_pipeline_id = orch_logs_pipeline.app.id
}

# Files of the host, with a configuration of one's own. The plan shows what it is rendered to.
resource "orch_container_logs_ingest" "host" {
  service_name  = "host"
  log_paths     = ["/var/log/*.log"]
  loki_endpoint = orch_logs_pipeline.app.endpoints["loki_internal"]

  resource_attributes = { "deployment.environment.name" = "staging" }

  # Only root can read most of them.
  collector = { user = "0:0" }

  template = <<-EOT
    extensions:
      health_check: {endpoint: "0.0.0.0:13133"}
      file_storage: {directory: /var/lib/otelcol}
    receivers:
      file_log:
        include: [{{quote .LogPaths}}]
        start_at: end
        storage: file_storage
        resource:
          service.name: {{quote .ServiceName}}
          deployment.environment.name: {{quote (index .ResourceAttributes "deployment.environment.name")}}
    processors:
      memory_limiter: {check_interval: 1s, limit_percentage: 75}
    exporters:
      otlp_http: {endpoint: {{quote .LokiEndpoint}}}
    service:
      extensions: [health_check, file_storage]
      telemetry:
        metrics:
          readers: [{pull: {exporter: {prometheus: {host: "0.0.0.0", port: 8888}}}}]
      pipelines:
        logs: {receivers: [file_log], processors: [memory_limiter], exporters: [otlp_http]}
  EOT
}

output "collector_configuration" {
  value = orch_container_logs_ingest.app.config
}
