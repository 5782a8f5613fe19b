# By the service's name, in the provider's scope.
terraform import orch_database_pipeline.app app

# By its full id, orch/<scope>/database/<service_name>.
terraform import orch_database_pipeline.app orch/team_a/database/app
