# The worker finds the token in its own environment: export FLY_API_TOKEN="$(fly tokens create org)"
resource "orch_flyio_deployment" "app" {
  app_name = "shop-chat"
  image    = "nginx:1.29"
  region   = "fra"
  size     = "shared-cpu-1x"
  machines = 2

  internal_port = 80
  env           = { LOG_LEVEL = "info" }

  # The worker resolves this; it stands in no plan, state or workflow history.
  secrets = {
    OPENAI_API_KEY = { env = "ORCH_SECRET_OPENAI_API_KEY" }
  }

  health = {
    path            = "/"
    timeout_seconds = 120
  }
}

output "url" {
  value = orch_flyio_deployment.app.url
}

# What Fly's own tool would be given to deploy the same by hand.
output "fly_toml" {
  value = orch_flyio_deployment.app.config
}
