package doctor_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/worker/cmd/orch-worker/internal/doctor"
)

func TestEachCheckIsOneLineAndOnlyFailuresCount(t *testing.T) {
	found := func(detail string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return detail, err }
	}
	var out strings.Builder
	failed, err := doctor.Run(t.Context(), &out, []doctor.Check{
		{Name: "one", Run: found("all well", nil)},
		{Name: "number two", Run: found("", doctor.Warnf("only %d GB left", 3))},
		{Name: "three", Run: found("", errors.New("first line\nsecond line"))},
	})
	require.NoError(t, err)
	require.Equal(t, 1, failed)
	require.Equal(t, `ok    one         all well
warn  number two  only 3 GB left
FAIL  three       first line second line
`, out.String())
}
