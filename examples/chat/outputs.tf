output "endpoints" {
  description = "Where the application and its Neo4j answer."
  value       = orch_chat_service.app.endpoints
}

output "context_hash" {
  description = "Digest of what the image was built from."
  value       = orch_chat_service.app.context_hash
}
