variable "service_name" {
  description = "Name of the service."
  type        = string
  default     = "app"
}

variable "delete_volumes" {
  description = "Whether a destroy deletes the conversations too."
  type        = bool
  default     = false
}

variable "port" {
  description = "Port of the Docker host that the application answers on. With null it is reached from containers only, and an update has no gap."
  type        = number
  default     = 8080
  nullable    = true
}

variable "dockerfile" {
  description = "Dockerfile in the folder app. Dockerfile.prebuilt takes a program that is there already."
  type        = string
  default     = "Dockerfile"
}

variable "chat_version" {
  description = "Version that the application says it is."
  type        = string
  default     = "1"
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
