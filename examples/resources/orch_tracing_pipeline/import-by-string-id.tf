import {
  to = orch_tracing_pipeline.app
  id = "app"
}
