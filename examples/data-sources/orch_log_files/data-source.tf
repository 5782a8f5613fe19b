# What an orch_stdout_ingest with the same files and containers would follow.
data "orch_log_files" "app" {
  service_name = "app"

  files = {
    include   = ["/var/log/app/**/*.log"]
    exclude   = ["*.gz"]
    max_depth = 3
  }

  containers = {
    service = "app"
  }
}

output "log_files" {
  value = [for source in data.orch_log_files.app.sources : source.path if source.path != null]
}
