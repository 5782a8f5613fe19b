package runner

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestSecretsTravelEncrypted(t *testing.T) {
	t.Parallel()
	s := running(t)
	keys := keyFile(t, "one")
	c := newClient(t, s, func(cfg *Config) { cfg.KeyFile = keys })
	call := newCall(t, wfEcho)
	serve(t, s, call.TaskQueue, func(cfg *Config) { cfg.KeyFile = keys })
	call.Request.Secrets = map[string]string{"a/b": "-hunter2"}
	var got contract.Result
	run, err := c.Run(t.Context(), call, &got, nil)
	require.NoError(t, err)
	require.Equal(t, "hello "+call.Request.ServiceName+"-hunter2", got.Message, "the worker has read it")
	require.NotContains(t, history(t, c, run, 1), "hunter2")

	t.Run("failure", func(t *testing.T) {
		call := newCall(t, wfFail)
		serve(t, s, call.TaskQueue, func(cfg *Config) { cfg.KeyFile = keys })
		run, err := c.Run(t.Context(), call, nil, nil)
		var step *StepError
		require.ErrorAs(t, err, &step)
		require.Equal(t, "port 3100 is taken by container x", step.Failure.Cause)
		require.NotContains(t, history(t, c, run, 0), "3100 is taken")
	})
	t.Run("failure without the worker's key", func(t *testing.T) {
		call := newCall(t, wfFail)
		serve(t, s, call.TaskQueue, func(cfg *Config) { cfg.KeyFile = keyFile(t, "two") })
		_, err := c.Run(t.Context(), call, nil, nil)
		var unreadable *ResultError
		require.ErrorAs(t, err, &unreadable)
		require.Contains(t, Detail(err), `encrypted with key "two"`)
		require.Contains(t, Detail(err), "encryption_key_file")
	})
	t.Run("request without the worker's key", func(t *testing.T) {
		call := newCall(t, wfEcho)
		call.Request.Secrets = map[string]string{"a/b": "-hunter2"}
		serve(t, s, call.TaskQueue, func(cfg *Config) { cfg.KeyFile = keyFile(t, "two") })
		_, err := c.Run(t.Context(), call, nil, nil)
		var unreadable *ResultError
		require.ErrorAs(t, err, &unreadable)
		require.Contains(t, Detail(err), `encrypted with key "two"`)
		require.Contains(t, Detail(err), "the same key file")
	})
	t.Run("no key at all", func(t *testing.T) {
		began := time.Now()
		_, err := newClient(t, s).Run(t.Context(), call, nil, nil)
		require.ErrorContains(t, err, "there is no encryption key")
		require.ErrorContains(t, err, "head -c 32 /dev/urandom")
		require.Less(t, time.Since(began), 20*time.Second)
	})
}

// history is the text of a run's first events, or of all with 0.
func history(t *testing.T, c *Client, run Run, events int) string {
	t.Helper()
	var b strings.Builder
	it := c.sdk.GetWorkflowHistory(t.Context(), run.WorkflowID, run.RunID, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for n := 0; it.HasNext() && (events == 0 || n < events); n++ {
		event, err := it.Next()
		require.NoError(t, err)
		fmt.Fprintf(&b, "%+v\n", event)
	}
	return b.String()
}
