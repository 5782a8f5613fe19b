package deployments_test

import (
	"fmt"
	"testing"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/github"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/render"
)

func TestRenderSurvivesEveryCall(t *testing.T) {
	t.Parallel()
	survives(t, "Render with GitHub", func(t *testing.T, name string) doubled {
		w := newRenderWorld(t, func(rc *render.Config, _ *github.Config) { rc.GoneFor = 1 })
		return doubled{
			faults: w.faults, kind: contract.RenderDeployment,
			access: map[string]contract.Access{"render": {BaseURL: w.url + "/v1"}, "github": {BaseURL: w.url}},
			env:    []string{"RENDER_API_KEY=" + token, "GITHUB_TOKEN=" + token, "ORCH_SECRET_RND=a-secret-value"},
			input: func(version int) string {
				w.write("app/main.py", fmt.Sprintf("print(%d)\n", version))
				return w.repository(fmt.Sprintf(`"env":{"VERSION":"%d"}`, version), fmt.Sprintf(`"num_instances":%d`, version),
					`"secrets":{"KEY":{"env":"ORCH_SECRET_RND"}}`)
			},
			change: func(r *contract.Request) { r.DeleteRepository = true },
			whole:  func(version int) error { return w.whole(name, version) },
			left:   func() []string { return append(w.render.Names(), w.github.Repositories()...) },
		}
	})
}

// whole says what is not exactly as it should be after a setup.
func (w *renderWorld) whole(name string, version int) error {
	if services, repositories := w.render.Names(), w.github.Repositories(); len(services) != 1 || len(repositories) != 1 {
		return fmt.Errorf("services: %v, repositories: %v", services, repositories)
	}
	vars := w.render.Variables(name)
	if vars["VERSION"] != fmt.Sprint(version) || vars["KEY"] != "a-secret-value" || vars[contract.RenderMark] == "" || len(vars) != 3 {
		return fmt.Errorf("variables: %v", vars)
	}
	if n := w.github.Commits("octo", "shop", "main"); n != version {
		return fmt.Errorf("%d commits after %d releases", n, version)
	}
	look := w.render.Look(name)
	if look.Instances != version || look.Deploys != version || look.Live["VERSION"] != fmt.Sprint(version) {
		return fmt.Errorf("not whole: %+v", look)
	}
	return nil
}
