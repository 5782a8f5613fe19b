terraform {
  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {}

variable "names" {
  description = "Whom to greet."
  type        = list(string)
  default     = ["Ada", "Grace"]
}

resource "orch_workflow" "greeting" {
  workflow_id = "greeting"

  setup = {
    workflow   = "GreetingWorkflow"
    task_queue = "greetings"
    input = {
      names    = var.names
      language = "en"
    }
  }

  # Without it a change of the names would replace the resource.
  update = {
    workflow = "GreetingWorkflow"
    input = {
      names    = var.names
      language = "fr"
    }
  }
}

output "greetings" {
  description = "What the workflow returned."
  value       = orch_workflow.greeting.result.greetings
}
