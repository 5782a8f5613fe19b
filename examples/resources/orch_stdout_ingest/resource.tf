# The containers of the service "app", to a Collector at http://localhost:4318.
resource "orch_stdout_ingest" "app" {
  service_name = "app"
}

# Files and containers, with labels.
resource "orch_stdout_ingest" "batch" {
  service_name = "batch"

  files = {
    include = ["/var/log/batch/**/*.log"]
    exclude = ["*.gz"]
  }

  containers = {
    labels = { "com.example.team" = "batch" }
    names  = ["batch-*"]
  }

  labels = { "deployment.environment.name" = "test" }

  batch_size             = 2000
  flush_interval_seconds = 0.5
  timeout_seconds        = 15
}
