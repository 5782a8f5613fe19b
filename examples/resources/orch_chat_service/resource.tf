# An application that is built from a Git repository, with a Neo4j of its own. A folder can be built from as well:
# context = "${path.module}/app".
resource "orch_chat_service" "app" {
  service_name = "app"

  build  = { context = "https://github.com/example/chat.git#v1.4.2" }
  ports  = { http = { container = 8080 } }
  health = { http = { port = "http", path = "/health" } }

  # Looked at before anything is built: the way in from the internet.
  cloudflare = {
    token      = { env = "CLOUDFLARE_API_TOKEN" } # of the worker's environment
    account_id = "0123456789abcdef0123456789abcdef"
    zone       = "example.com"
    record     = "chat.example.com"
    tunnel     = "chat"
  }
}

# One that remembers its conversations in the Neo4j of a database pipeline.
resource "orch_chat_service" "beta" {
  service_name = "beta"
  image        = "ghcr.io/example/chat:2.0.0-beta1"

  neo4j  = { pipeline_id = orch_database_pipeline.shared.id }
  ports  = { http = { container = 8080, host = 8082 } }
  health = { http = { port = "http", path = "/health" } }
}

resource "orch_database_pipeline" "shared" {
  service_name = "shared"

  neo4j = {
    http_port = 17474
    bolt_port = 17687
  }
}
