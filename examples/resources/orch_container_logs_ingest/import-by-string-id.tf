import {
  to = orch_container_logs_ingest.app
  id = "app"
}
