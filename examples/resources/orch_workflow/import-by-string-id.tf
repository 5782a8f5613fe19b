import {
  to = orch_workflow.greeting
  id = "greeting/team"
}
