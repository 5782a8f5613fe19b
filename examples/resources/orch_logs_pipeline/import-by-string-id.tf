import {
  to = orch_logs_pipeline.app
  id = "app"
}
