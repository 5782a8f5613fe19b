# Every attribute of orch_logs_pipeline at work, but for those that join it to other pipelines: see examples/observability.
terraform {
  required_version = ">= 1.11"

  required_providers {
    orch = {
      source = "temporal-orchestrator/orch"
    }
  }
}

provider "orch" {
  # Keeps what this configuration makes apart from others on the same Docker Engine.
  scope = "team_a"
}

# Terraform stores an ephemeral value neither in state nor in a plan. An
# ephemeral resource, such as a secret manager's, can take the variable's place.
variable "grafana_password" {
  description = "Password of Grafana's administrator."
  type        = string
  sensitive   = true
  ephemeral   = true
}

resource "orch_logs_pipeline" "shop" {
  service_name = "shop"

  # A worker on the Docker host polls it: orch-worker run --task-queue docker-host-1
  task_queue = "docker-host-1"

  # How operations go. These are the defaults, but for delete_volumes.
  delete_volumes = true
  on_failure     = "rollback"
  on_interrupt   = "cancel"
  verify         = true

  timeouts = {
    create = "30m"
    update = "30m"
    delete = "5m"
    read   = "1m"
  }

  # Reachable from other hosts. Docker publishes ports past most host firewalls.
  bind_address = "0.0.0.0"

  labels = {
    team        = "shop"
    environment = "staging"
  }

  pull_policy     = "missing"
  registry_mirror = "mirror.example.com"

  collector = {
    image     = "otel/opentelemetry-collector-contrib:0.159.0"
    memory_mb = 512
    cpus      = 0.5
    grpc_port = 24317
    http_port = 24318
  }

  loki = {
    image     = "grafana/loki:3.7.6"
    memory_mb = 2048
    cpus      = 2
    port      = 23100
    retention = "30d"
    # Made beforehand with `docker volume create shop-logs`; never deleted by orch.
    volume = "shop-logs"
  }

  grafana = {
    image      = "grafana/grafana:12.4.15"
    memory_mb  = 512
    cpus       = 1
    port       = 23000
    admin_user = "operator"

    # Change the password, raise the version, and apply.
    admin_password_wo         = var.grafana_password
    admin_password_wo_version = 1
  }
}

output "service" {
  description = "All that is known about the service."
  value = {
    id           = orch_logs_pipeline.shop.id
    status       = orch_logs_pipeline.shop.status
    message      = orch_logs_pipeline.shop.message
    steps        = orch_logs_pipeline.shop.steps
    endpoints    = orch_logs_pipeline.shop.endpoints
    datasource   = orch_logs_pipeline.shop.datasource_uid
    containers   = orch_logs_pipeline.shop.containers
    verification = orch_logs_pipeline.shop.verification
    engine       = orch_logs_pipeline.shop.engine_id
    run          = "${orch_logs_pipeline.shop.workflow_id} ${orch_logs_pipeline.shop.run_id}"
    web_ui_url   = orch_logs_pipeline.shop.web_ui_url
  }
}
