package engine

import (
	"fmt"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestDependentsAreRemovedFirst(t *testing.T) {
	t.Parallel()
	var owned []container.Summary
	for _, name := range []string{"neo4j", "chat", "older", "cache"} {
		owned = append(owned, container.Summary{Labels: map[string]string{contract.LabelComponent: name}})
	}
	order := func(components ...contract.Component) string {
		var names [][]string
		for _, wave := range waves(owned, components) {
			var at []string
			for _, s := range wave {
				at = append(at, s.Labels[contract.LabelComponent])
			}
			names = append(names, at)
		}
		return fmt.Sprint(names)
	}
	for want, components := range map[string][]contract.Component{
		"[[neo4j chat older cache]]":       nil,
		"[[chat older cache] [neo4j]]":     {{Name: "neo4j"}, {Name: "chat", DependsOn: []string{"neo4j"}}},
		"[[chat older] [cache] [neo4j]]":   {{Name: "cache", DependsOn: []string{"neo4j"}}, {Name: "chat", DependsOn: []string{"neo4j", "cache"}}},
		"[[older cache] [neo4j chat]]":     {{Name: "neo4j", DependsOn: []string{"chat"}}, {Name: "chat", DependsOn: []string{"neo4j"}}},
		"[[neo4j chat older cache]] again": {{Name: "chat"}},
	} {
		if got := order(components...); got != want && got+" again" != want {
			t.Errorf("%v: %s, want %s", components, got, want)
		}
	}
}
