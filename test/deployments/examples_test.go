package deployments_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/flyio"
)

// The example is applied as it stands, but for where the application is visited: nobody reaches fly.dev from here.
func TestFlyioExampleApplies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *flyio.Options) { o.Token = "fm2_" + token })
	worker := startWorker(t, "FLY_API_TOKEN=FlyV1 fm2_"+token, "ORCH_FLYIO_API_URL="+w.url+"/v1", "ORCH_SECRET_OPENAI_API_KEY=a-key-of-the-test")
	tf := newTerraform(t, worker, "dep")
	example, err := os.ReadFile("../../examples/resources/orch_flyio_deployment/resource.tf")
	require.NoError(t, err)
	tf.use(string(example))
	require.NoError(t, os.WriteFile(filepath.Join(tf.cli.Config, "main_override.tf"),
		[]byte("resource \"orch_flyio_deployment\" \"app\" {\n  public_url = \""+w.url+"/app/shop-chat\"\n}\n"), 0o600))
	require.NoError(t, tf.cli.Write())
	tf.apply()
	tf.assertEmptyPlan()
	look, _ := w.fly.Look("shop-chat")
	require.Len(t, look.Machines, 2)
	require.Equal(t, "fra", look.Machines[0].Region)
	tf.destroy()
	require.Empty(t, w.fly.Apps())
}
