variable "service_name" {
  description = "Name of the service; containers, network and volumes are named after it."
  type        = string
  default     = "app"
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

variable "grafana_port" {
  description = "Host port of Grafana. Null is the provider's default."
  type        = number
  default     = null
}
