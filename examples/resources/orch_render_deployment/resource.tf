# A folder of this machine, pushed to a repository on GitHub that Render builds.
resource "orch_render_deployment" "shop" {
  service_name  = "shop"
  region        = "frankfurt"
  plan          = "standard"
  num_instances = 2

  repository = {
    name   = "octo/shop"
    create = true
    source = "./app"
  }
  delete_repository = true

  env = {
    LOG_LEVEL = "info"
  }

  # The worker reads this variable of its own environment.
  secrets = {
    API_KEY = { env = "ORCH_SECRET_SHOP_API_KEY" }
  }

  health = {
    path = "/healthz"
  }
}

# An image that exists already.
resource "orch_render_deployment" "proxy" {
  service_name = "proxy"
  image        = "docker.io/library/nginx:1.29"
}

output "url" {
  value = orch_render_deployment.shop.url
}
