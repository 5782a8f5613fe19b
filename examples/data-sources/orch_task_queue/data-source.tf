data "orch_task_queue" "app" {
  name = "app-queue"
}

# Tells before anything is applied that no worker would take it, or that the workers cannot keep up.
check "workers" {
  assert {
    condition     = data.orch_task_queue.app.polled
    error_message = "No worker polls ${data.orch_task_queue.app.name}."
  }

  assert {
    condition     = data.orch_task_queue.app.backlog["activity"].count < 100
    error_message = "${data.orch_task_queue.app.backlog["activity"].count} activities wait for a worker."
  }
}

output "workers" {
  value = distinct([for p in data.orch_task_queue.app.pollers : p.identity if p.alive])
}
