variable "service_name" {
  description = "Name of both the database pipeline and the service."
  type        = string
  default     = "graph"
}

variable "delete_volumes" {
  description = "Whether a destroy deletes the data too."
  type        = bool
  default     = false
}

variable "image" {
  description = "Image of the knowledge graph service."
  type        = string
}

variable "command" {
  description = "Replaces the image's CMD. Null is the image's."
  type        = list(string)
  default     = null
}

variable "health_path" {
  description = "Path that tells whether the service is up."
  type        = string
  default     = "/health"
}

variable "neo4j_image" {
  description = "Image of Neo4j. Null is the provider's default."
  type        = string
  default     = null
}

variable "neo4j_http_port" {
  description = "Port of the Docker host for Neo4j's browser. Null is the provider's default."
  type        = number
  default     = null
}

variable "neo4j_bolt_port" {
  description = "Port of the Docker host for Bolt. Null is the provider's default."
  type        = number
  default     = null
}

variable "qdrant_image" {
  description = "Image of Qdrant. Null is the provider's default."
  type        = string
  default     = null
}

variable "qdrant_http_port" {
  description = "Port of the Docker host for Qdrant's REST API. Null is the provider's default."
  type        = number
  default     = null
}

variable "qdrant_grpc_port" {
  description = "Port of the Docker host for Qdrant's gRPC API. Null is the provider's default."
  type        = number
  default     = null
}
