# By the ID of a workflow that runs, or whose history is still there.
terraform import orch_workflow.greeting greeting/team
