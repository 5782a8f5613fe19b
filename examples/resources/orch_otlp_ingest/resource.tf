resource "orch_logs_pipeline" "app" {
  service_name = "app"
}

resource "orch_tracing_pipeline" "app" {
  service_name = "app"
}

resource "orch_otlp_ingest" "app" {
  service_name = "app"

  # The Collector of the logs pipeline has 4317 and 4318.
  collector = {
    grpc_port = 14317
    http_port = 14318
  }

  logs_endpoint   = orch_logs_pipeline.app.endpoints["loki_internal"]
  traces_endpoint = orch_tracing_pipeline.app.endpoints["otlp_http_internal"]

  cors_origins        = ["http://localhost:*"]
  resource_attributes = { "deployment.environment.name" = "staging" }
}

# An application that sends to it, and joins its network by that.
resource "orch_container_service" "shop" {
  service_name = "shop"
  image        = "ghcr.io/acme/shop:1.4.2"
  env          = orch_otlp_ingest.app.environment
}

# Pass this to other containers, on the network orch-otlp-app.
output "application_environment" {
  value = orch_otlp_ingest.app.environment
}

# Applications on the Docker host itself send here.
output "send_to" {
  value = orch_otlp_ingest.app.endpoints["otlp_http"]
}
