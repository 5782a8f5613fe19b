# By the service's name, in the provider's scope.
terraform import orch_tracing_pipeline.app app

# By its full id, orch/<scope>/tracing/<service_name>.
terraform import orch_tracing_pipeline.app orch/team_a/tracing/app
