package workflows

import "github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"

// SetupOf is the setup workflow of an entry that is in no list, for tests.
func SetupOf(entry catalog.Entry) any { return stack{entry}.Setup }
