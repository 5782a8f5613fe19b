data "orch_stdout_ingest" "app" {
  service_name = "app"
}

check "app_logs_are_shipped" {
  assert {
    condition     = !data.orch_stdout_ingest.app.failing && data.orch_stdout_ingest.app.lines_rejected == 0
    error_message = "The logs of app are not shipped: ${coalesce(data.orch_stdout_ingest.app.last_error, "lines were rejected")}"
  }
}
