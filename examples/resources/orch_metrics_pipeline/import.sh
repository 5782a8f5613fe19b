# By the service's name, in the provider's scope.
terraform import orch_metrics_pipeline.app app

# By its full id, orch/<scope>/metrics/<service_name>.
terraform import orch_metrics_pipeline.app orch/team_a/metrics/app
