# Everything has a default.
resource "orch_metrics_pipeline" "app" {
  service_name = "app"
}

# A second one on the same host needs other ports.
resource "orch_metrics_pipeline" "batch" {
  service_name = "batch"

  prometheus = {
    port            = 19090
    retention_time  = "30d"
    retention_size  = "20GB"
    scrape_interval = "30s"

    # A change of the targets takes effect without a restart.
    scrape_targets = [
      {
        targets = ["192.0.2.10:9100", "192.0.2.11:9100"]
        labels  = { job = "node" }
      },
    ]
  }

  grafana = {
    port = 13001
  }
}

output "send_metrics_to" {
  value = "${orch_metrics_pipeline.app.endpoints["otlp_http"]}/v1/metrics"
}
