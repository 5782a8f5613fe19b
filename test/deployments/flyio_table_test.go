package deployments_test

import (
	"fmt"
	"testing"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestFlyioSurvivesEveryCall(t *testing.T) {
	t.Parallel()
	survives(t, "Fly.io", func(t *testing.T, name string) doubled {
		w := newWorld(t)
		images := map[int]string{1: "nginx:1", 2: "nginx:2"}
		return doubled{
			faults: w.faults, kind: contract.FlyioDeployment,
			access: map[string]contract.Access{"flyio": {BaseURL: w.url + "/v1"}},
			env:    []string{"FLY_API_TOKEN=" + token, "ORCH_SECRET_DEP=a-secret-value"},
			input: func(version int) string {
				return fmt.Sprintf(`{"image":%q,"public_url":"%s/app/%s","machines":%d,"secrets":{"KEY":{"env":"ORCH_SECRET_DEP"}}}`, images[version], w.url, name, version)
			},
			whole: func(version int) error {
				if apps := w.fly.Apps(); len(apps) != 1 {
					return fmt.Errorf("apps: %v", apps)
				}
				look, _ := w.fly.Look(name)
				if len(look.Machines) != version || len(look.Addresses) != 2 || look.Secrets["KEY"] != "a-secret-value" {
					return fmt.Errorf("not whole: %+v", look)
				}
				for _, m := range look.Machines {
					if m.Image != images[version] || m.State != "started" || m.SecretsVersion != look.SecretsVersion {
						return fmt.Errorf("machine %+v with secrets %d", m, look.SecretsVersion)
					}
				}
				return nil
			},
			left: w.fly.Apps,
		}
	})
}
