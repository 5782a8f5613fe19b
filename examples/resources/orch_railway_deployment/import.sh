# By the service's name, in the provider's scope. What it was deployed from is kept next to its variables on Railway.
terraform import orch_railway_deployment.shop shop

# By its full id, orch/<scope>/railway/<service_name>.
terraform import orch_railway_deployment.shop orch/team_a/railway/shop
