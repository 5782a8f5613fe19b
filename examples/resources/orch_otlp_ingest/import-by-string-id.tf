import {
  to = orch_otlp_ingest.app
  id = "app"
}
