output "endpoints" {
  description = "Where the databases answer, by name."
  value       = orch_database_pipeline.app.endpoints
}

output "verification" {
  description = "Milliseconds from writing a node and a vector until each was read back."
  value       = orch_database_pipeline.app.verification
}

output "next" {
  description = "What to try next."
  value       = <<-EOT
    Print the password:  orch-worker secret database ${var.service_name} neo4j
    Print the API key:   orch-worker secret database ${var.service_name} qdrant
    Query the graph:     ${orch_database_pipeline.app.endpoints["neo4j_http"]} (user neo4j)
    List collections:    curl -H "api-key: $(orch-worker secret database ${var.service_name} qdrant)" ${orch_database_pipeline.app.endpoints["qdrant_http"]}/collections
    Remove everything:   terraform destroy
  EOT
}
