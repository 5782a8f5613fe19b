variable "service_name" {
  description = "Name of the service."
  type        = string
  default     = "ai-proxy"
}

variable "image" {
  description = "Image of the proxy."
  type        = string
  default     = "ghcr.io/berriai/litellm:v1.74.9-stable"
}

variable "entrypoint" {
  description = "Program that starts the proxy."
  type        = list(string)
  default     = ["sh", "-c"]
}

variable "command" {
  description = "What the program is given."
  type        = list(string)
  default = [<<-EOT
    export OPENAI_API_KEY="$(cat /run/secrets/openai_api_key)"
    export ANTHROPIC_API_KEY="$(cat /run/secrets/anthropic_api_key)"
    export LITELLM_MASTER_KEY="$(cat /run/secrets/master_key)"
    exec litellm --port 4000 --model gpt-4o-mini --alias default
  EOT
  ]
}

variable "health_path" {
  description = "Path that tells whether the proxy is up."
  type        = string
  default     = "/health/liveliness"
}

variable "port" {
  description = "Port of the Docker host that the proxy answers on. With null it is reached from containers only, and an update has no gap."
  type        = number
  default     = null
  nullable    = true
}

variable "memory_mb" {
  description = "Most memory that the proxy can use, in MiB."
  type        = number
  default     = 1024
}
