# By the service's name, in the provider's scope.
terraform import orch_container_service.api api

# By its full id, orch/<scope>/container/<service_name>.
terraform import orch_container_service.api orch/team_a/container/api
