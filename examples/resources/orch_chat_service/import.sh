# By the service's name, in the provider's scope.
terraform import orch_chat_service.app app

# By its full id, orch/<scope>/chat/<service_name>.
terraform import orch_chat_service.app orch/team_a/chat/app
