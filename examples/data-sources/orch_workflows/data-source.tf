# The operations on services that failed last.
data "orch_workflows" "failed" {
  query    = "WorkflowId STARTS_WITH 'orch/' AND ExecutionStatus = 'Failed'"
  order_by = "close_time"
  limit    = 10
}

output "failed" {
  value = [for w in data.orch_workflows.failed.workflows : "${w.close_time} ${w.type} ${w.workflow_id}: ${coalesce(w.web_ui_url, "no Web UI")}"]
}

# How many there are in all.
output "failures" {
  value = data.orch_workflows.failed.total
}
