import {
  to = orch_flyio_deployment.app
  id = "shop-chat"
}
