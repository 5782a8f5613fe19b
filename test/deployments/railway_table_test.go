package deployments_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
)

// railwayCall is a call's operation: all of them have the same method and URL.
func railwayCall(call cloudfault.Call) (text string, mutating bool) {
	_, after, _ := strings.Cut(call.Body, `"query":"`)
	text, _, _ = strings.Cut(after, "(")
	text, _, _ = strings.Cut(text, " {")
	return text, strings.HasPrefix(text, "mutation ")
}

func TestRailwaySurvivesEveryCall(t *testing.T) {
	t.Parallel()
	survives(t, "Railway", func(t *testing.T, name string) doubled {
		w := newRailwayWorld(t, nil)
		return doubled{
			faults: w.faults, kind: contract.RailwayDeployment, describe: railwayCall,
			access: map[string]contract.Access{"railway": {BaseURL: w.url}},
			env:    []string{"RAILWAY_API_TOKEN=" + railwayToken, "ORCH_SECRET_RW=very-secret-value"},
			input: func(version int) string {
				return fmt.Sprintf(`{"image":"ghcr.io/acme/shop:%d","port":%d,"public_url":%q,"env":{"MODE":"live"},"secrets":{"API_KEY":{"env":"ORCH_SECRET_RW"}}}`,
					version, railwayPort(version), w.app)
			},
			whole: func(version int) error { return w.whole(name, version) },
			left: func() []string {
				var left []string
				for _, p := range w.double.Projects() {
					left = append(left, p.Name)
				}
				return left
			},
		}
	})
}

// railwayPort is where a version listens.
func railwayPort(version int) int { return 8080 + version }

// whole says what is not exactly as it should be after a setup.
func (w *railwayWorld) whole(name string, version int) error {
	projects := w.double.Projects()
	if len(projects) != 1 || len(projects[0].Environments) != 1 || len(projects[0].Services) != 1 {
		return fmt.Errorf("projects: %+v", projects)
	}
	s := projects[0].Services[0]
	image := fmt.Sprintf("ghcr.io/acme/shop:%d", version)
	if s.Name != name || s.Image != image || len(s.Domains) != 1 || s.Ports[0] != railwayPort(version) || s.Running != 1 || s.Deployments > version+1 || s.Variables["MODE"] != "live" ||
		s.Variables["API_KEY"] != "very-secret-value" {
		return fmt.Errorf("not whole: %+v", s)
	}
	return nil
}
