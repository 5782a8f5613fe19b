# By the service's name, in the provider's scope.
terraform import orch_logs_pipeline.app app

# By its full id, orch/<scope>/logs/<service_name>.
terraform import orch_logs_pipeline.app orch/team_a/logs/app
