# By the service's name, in the provider's scope.
terraform import orch_container_logs_ingest.app app

# By its full id, orch/<scope>/containerlogs/<service_name>.
terraform import orch_container_logs_ingest.app orch/team_a/containerlogs/app
