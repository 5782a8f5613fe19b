import {
  to = orch_stdout_ingest.app
  id = "app"
}
