output "message" {
  description = "How many files and containers were found."
  value       = orch_stdout_ingest.app.message
}

output "query" {
  description = "The lines of the application in Loki."
  value       = "curl -G ${orch_logs_pipeline.logs.endpoints["loki"]}/loki/api/v1/query_range --data-urlencode 'query={service_name=\"ingest-after\"}'"
}
