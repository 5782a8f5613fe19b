# By the app's name, in the provider's scope.
terraform import orch_flyio_deployment.app shop-chat

# By its full id, orch/<scope>/flyio/<app_name>.
terraform import orch_flyio_deployment.app orch/team_a/flyio/shop-chat
