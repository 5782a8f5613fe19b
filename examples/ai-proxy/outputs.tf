output "url" {
  description = "Address of the proxy for containers of other services, which join its network with it."
  value       = orch_container_service.ai_proxy.endpoints["http_internal"]
}
