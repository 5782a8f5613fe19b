# The last operation on a service. Any other workflow, of any worker, is described in the same way.
data "orch_workflow" "setup" {
  workflow_id = "orch/orch/logs/app"
}

output "setup" {
  value = {
    status  = data.orch_workflow.setup.status
    message = try(data.orch_workflow.setup.result.message, null)
    failure = try(data.orch_workflow.setup.failure.message, null)
    waiting = [for a in data.orch_workflow.setup.pending_activities : "${a.type}, attempt ${a.attempt}: ${coalesce(a.last_failure, "no failure")}"]
    events  = data.orch_workflow.setup.history.length
    page    = data.orch_workflow.setup.web_ui_url
  }
}
