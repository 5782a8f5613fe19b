package activities

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/ingest"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// A tail that cannot begin says why where inspections and the setup look, next to the figures of the last one.
func TestTailThatCannotBeginSaysWhy(t *testing.T) {
	tails := &LogTails{DataDir: t.TempDir(), Secrets: secret.AllowList{}}
	spec := contract.Ingest{Ref: contract.NewRef(contract.StdoutIngest, "", "app"), Endpoint: "http://127.0.0.1:1"}
	store := tails.store(spec)
	require.NoError(t, store.Make())
	require.Equal(t, "it has not begun", whyIdle(nil, spec))

	working := contract.TailStatus{At: time.Now(), Digest: spec.Digest(), Lines: 7}
	require.NoError(t, store.SetStatus(working))
	_, idle, err := outcome(t.Context(), store, spec, time.Minute)
	require.NoError(t, err)
	require.Empty(t, idle)
	other := spec
	other.Endpoint = "http://127.0.0.1:2"
	require.Equal(t, "it works with another configuration", whyIdle(&working, other))
	working.At = time.Now().Add(-time.Hour)
	require.Contains(t, whyIdle(&working, spec), "it has said nothing since")

	require.NoError(t, os.WriteFile(filepath.Join(store.Dir(), "checkpoint.json"), []byte("{"), 0o600))
	err = tails.tail(t.Context(), spec, make(chan *ingest.Tail, 1))
	require.Error(t, err)
	tails.cannot(spec, passing(err))
	status, idle, err := outcome(t.Context(), store, spec, 0)
	require.NoError(t, err)
	require.Contains(t, idle, "checkpoint.json cannot be read")
	require.Equal(t, int64(7), status.Lines)
	require.True(t, status.Failing)
}

func TestWaitForATailEndsWithItsContext(t *testing.T) {
	tails := &LogTails{DataDir: t.TempDir()}
	spec := contract.Ingest{Ref: contract.NewRef(contract.StdoutIngest, "", "app")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := outcome(ctx, tails.store(spec), spec, time.Minute)
	require.True(t, errors.Is(err, context.Canceled))
}
