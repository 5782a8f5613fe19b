import {
  to = orch_metrics_pipeline.app
  id = "app"
}
