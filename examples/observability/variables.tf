variable "service_name" {
  description = "Name of the three services; containers, networks and volumes are named after it."
  type        = string
  default     = "app"

  validation {
    condition     = length(var.service_name) <= 30
    error_message = "With more than 30 characters the uid of the logs data source would be a digest; see main.tf."
  }
}

variable "delete_volumes" {
  description = "Whether destroying the services deletes their data too, which is what a demonstration wants."
  type        = bool
  default     = true
}

variable "collector_image" {
  description = "Image of the OpenTelemetry Collector. Null is the provider's default."
  type        = string
  default     = null
}

variable "loki_image" {
  description = "Image of Loki. Null is the provider's default."
  type        = string
  default     = null
}

variable "prometheus_image" {
  description = "Image of Prometheus. Null is the provider's default."
  type        = string
  default     = null
}

variable "jaeger_image" {
  description = "Image of Jaeger. Null is the provider's default."
  type        = string
  default     = null
}

variable "grafana_image" {
  description = "Image of Grafana. Null is the provider's default."
  type        = string
  default     = null
}

variable "pull_policy" {
  description = "When images are pulled: missing, always or never. Null is the provider's default."
  type        = string
  default     = null
}

variable "registry_mirror" {
  description = "Registry that stands in for Docker Hub. Null is Docker Hub itself."
  type        = string
  default     = null
}

variable "otlp_grpc_port" {
  description = "Host port for OTLP over gRPC. Null is the provider's default."
  type        = number
  default     = null
}

variable "otlp_http_port" {
  description = "Host port for OTLP over HTTP. Null is the provider's default."
  type        = number
  default     = null
}

variable "loki_port" {
  description = "Host port of Loki. Null is the provider's default."
  type        = number
  default     = null
}

variable "prometheus_port" {
  description = "Host port of Prometheus. Null is the provider's default."
  type        = number
  default     = null
}

variable "jaeger_port" {
  description = "Host port of Jaeger. Null is the provider's default."
  type        = number
  default     = null
}

variable "grafana_port" {
  description = "Host port of Grafana."
  type        = number
  default     = 3000
}
