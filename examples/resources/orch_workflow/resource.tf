# Runs once, and its result is kept. A change of the input runs it again.
resource "orch_workflow" "greeting" {
  workflow_id = "greeting/team"

  setup = {
    workflow   = "GreetingWorkflow"
    task_queue = "greetings"
    input      = { names = ["Ada", "Grace"], language = "en" }

    timeouts = { wait = "5m", execution = "10m" }
    retry    = { maximum_attempts = 3 }
  }

  update = {
    workflow = "GreetingWorkflow"
    input    = { names = ["Ada", "Grace"], language = "fr" }
  }

  cleanup = {
    workflow = "GreetingWorkflow"
    input    = { names = ["everybody"], language = "de" }
  }
}

output "greetings" {
  value = orch_workflow.greeting.result.greetings
}
