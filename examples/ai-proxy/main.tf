# A proxy in front of LLM providers. Its keys come from the worker's environment, and stand in no configuration and no state.
terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {}

resource "orch_container_service" "ai_proxy" {
  service_name = var.service_name

  image = var.image

  # This image takes its keys from its environment only, so the process is given them when it starts: what
  # `docker inspect` shows is the command, not a key.
  entrypoint = var.entrypoint
  command    = var.command

  secrets = {
    openai_api_key    = { env = "OPENAI_API_KEY" }
    anthropic_api_key = { env = "ANTHROPIC_API_KEY" }
    master_key        = {} # generated; orch-worker secret container ai-proxy service --name master_key
  }

  ports = { http = { container = 4000, host = var.port } }

  health = {
    http         = { port = "http", path = var.health_path }
    start_period = "60s"
  }

  memory_mb = var.memory_mb
  restart   = "unless-stopped"
}
