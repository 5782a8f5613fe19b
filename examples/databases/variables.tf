variable "service_name" {
  description = "Name of the service; containers, network and volumes are named after it."
  type        = string
  default     = "app"
}

variable "delete_volumes" {
  description = "Whether destroying the service deletes its data too."
  type        = bool
  default     = false
}

variable "neo4j_image" {
  description = "Image of Neo4j. Null is the provider's default."
  type        = string
  default     = null
}

variable "qdrant_image" {
  description = "Image of Qdrant. Null is the provider's default."
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

variable "neo4j_http_port" {
  description = "Host port for Neo4j's browser and HTTP API. Null is the provider's default."
  type        = number
  default     = null
}

variable "neo4j_bolt_port" {
  description = "Host port for Neo4j's drivers. Null is the provider's default."
  type        = number
  default     = null
}

variable "qdrant_http_port" {
  description = "Host port for Qdrant's REST API. Null is the provider's default."
  type        = number
  default     = null
}

variable "qdrant_grpc_port" {
  description = "Host port for Qdrant's gRPC API. Null is the provider's default."
  type        = number
  default     = null
}

# Terraform stores an ephemeral value neither in state nor in a plan. An
# ephemeral resource, such as a secret manager's, can take the variable's place.
variable "neo4j_password" {
  description = "Password of Neo4j's user neo4j. Null, with the version null too, has one generated."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
}

variable "neo4j_password_version" {
  description = "Version of neo4j_password: any number, raised to change the password."
  type        = number
  default     = null
}

variable "qdrant_api_key" {
  description = "API key of Qdrant. Null, with the version null too, has one generated."
  type        = string
  sensitive   = true
  ephemeral   = true
  default     = null
}

variable "qdrant_api_key_version" {
  description = "Version of qdrant_api_key: any number, raised to change the key."
  type        = number
  default     = null
}
