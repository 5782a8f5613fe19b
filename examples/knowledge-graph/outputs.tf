output "url" {
  description = "Address of the service for containers of other services."
  value       = orch_container_service.knowledge_graph.endpoints["http_internal"]
}
