resource "orch_railway_deployment" "shop" {
  service_name = "shop"
  image        = "ghcr.io/acme/shop:1.4.2"
  port         = 8080
  region       = "europe-west4-drams3a"
  replicas     = 2

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

output "url" {
  value = orch_railway_deployment.shop.url
}
