variable "image" {
  description = "Image of the application, which writes its logs to stdout."
  type        = string
}

variable "command" {
  description = "What the application's container runs instead of the image's command."
  type        = list(string)
  default     = null
}

variable "log_files" {
  description = "Log files on the worker's host: absolute paths and patterns."
  type        = list(string)
  default     = ["/var/log/my-app/*.log"]
}
