# By the service's name, in the provider's scope.
terraform import orch_stdout_ingest.app app

# By its full id, orch/<scope>/stdout/<service_name>.
terraform import orch_stdout_ingest.app orch/team_a/stdout/app
