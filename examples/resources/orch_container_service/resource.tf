# An image that exists, reached on a port of the Docker host.
resource "orch_container_service" "web" {
  service_name = "web"
  image        = "nginx:1.29"

  ports  = { http = { container = 80, host = 8081 } }
  health = { http = { port = "http" } }
}

# A service of your own, built from a Git repository, that uses a database pipeline by reference. It has no fixed port on the
# host, so a new version takes over without a gap.
resource "orch_container_service" "api" {
  service_name = "api"

  build = {
    context = "https://github.com/example/api.git#v1.4.2"
    args    = { VERSION = "1.4.2" }
  }

  env = {
    NEO4J_URI           = orch_database_pipeline.app.endpoints["neo4j_bolt_internal"] # joins the pipeline's network
    NEO4J_PASSWORD_FILE = "/run/secrets/neo4j_password"
    LLM_API_KEY_FILE    = "/run/secrets/llm_api_key"
  }

  secrets = {
    neo4j_password = { service = { id = orch_database_pipeline.app.id, component = "neo4j", name = "password" } }
    llm_api_key    = { env = "LLM_API_KEY" } # of the worker's environment
  }

  ports = { http = { container = 8080 } }
  health = {
    http         = { port = "http", path = "/health" }
    start_period = "1m"
  }

  volumes   = { models = { path = "/models", external = true, read_only = true } }
  memory_mb = 512
  user      = "1000:1000"
  read_only = true
  tmpfs     = ["/tmp"]

  update = { drain_seconds = 10 }
}

resource "orch_database_pipeline" "app" {
  service_name = "app"
}

output "api" {
  value = orch_container_service.api.endpoints["http_internal"]
}
