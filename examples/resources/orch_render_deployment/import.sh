# By the service's name, in the provider's scope. What it was deployed from is kept among its variables on Render. A folder
# comes back under its absolute path.
terraform import orch_render_deployment.shop shop

# By its full id, orch/<scope>/render/<service_name>.
terraform import orch_render_deployment.shop orch/team_a/render/shop
