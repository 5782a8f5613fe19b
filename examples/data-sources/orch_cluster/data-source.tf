data "orch_cluster" "this" {}

# Histories must outlive a weekend, so that an apply that was killed on Friday can be looked into on Monday.
check "retention" {
  assert {
    condition     = data.orch_cluster.this.namespaces[data.orch_cluster.this.namespace].retention_hours >= 72
    error_message = "Namespace ${data.orch_cluster.this.namespace} keeps histories for less than three days."
  }
}

output "temporal" {
  value = "Temporal ${data.orch_cluster.this.server_version} at ${data.orch_cluster.this.address}"
}
