package engine

import (
	"slices"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// waves are a service's containers in the order in which they are removed: those that depend on others go before them, so that
// an application can end its work while its database is still there. What the components do not know goes first.
func waves(owned []container.Summary, components []contract.Component) [][]container.Summary {
	var all [][]container.Summary
	for _, s := range owned {
		level := above(s.Labels[contract.LabelComponent], components, len(components))
		for len(all) <= level {
			all = append(all, nil)
		}
		all[level] = append(all[level], s)
	}
	return slices.DeleteFunc(all, func(wave []container.Summary) bool { return len(wave) == 0 })
}

// above is how many components depend on a component, one through the other; most ends what would go round in circles.
func above(name string, components []contract.Component, most int) int {
	level := 0
	for _, c := range components {
		if most > 0 && slices.Contains(c.DependsOn, name) {
			level = max(level, above(c.Name, components, most-1)+1)
		}
	}
	return level
}
