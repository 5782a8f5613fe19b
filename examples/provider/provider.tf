terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

# Nothing needs to be configured to use `orch-worker dev` on this machine.
provider "orch" {}

# Temporal Cloud, with the API key in the environment variable TEMPORAL_API_KEY,
# and one worker queue for all services of this configuration.
provider "orch" {
  alias      = "cloud"
  address    = "eu-west-1.aws.api.temporal.io:7233"
  namespace  = "observability.a1b2c"
  task_queue = "docker-host-1"
  scope      = "team_a"
}
