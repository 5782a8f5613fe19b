import {
  to = orch_database_pipeline.app
  id = "app"
}
