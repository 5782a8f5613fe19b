# By the service's name, in the provider's scope.
terraform import orch_otlp_ingest.app app

# By its full id, orch/<scope>/otlp/<service_name>.
terraform import orch_otlp_ingest.app orch/team_a/otlp/app
