package activities_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

var neo4jSecret = contract.Secret{Name: "password", User: "neo4j"}

func rotate(t *testing.T, address, from, to string) error {
	t.Helper()
	return activities.RotateNeo4jPassword(t.Context(), "http://"+address, neo4jSecret, from, to)
}

func TestNeo4jRotationChangesThePasswordOnce(t *testing.T) {
	n := newNeo4jDouble(t)
	for range 2 { // a retry after the answer was lost finds the new password in place
		require.NoError(t, rotate(t, n.address, "right-password", "second-password"))
		require.Equal(t, "second-password", n.password)
	}
	require.NoError(t, rotate(t, n.address, "second-password", "second-password"))
}

func TestNeo4jRotationTellsWhyItCannot(t *testing.T) {
	n := newNeo4jDouble(t)
	var failure *contract.StepFailure
	require.ErrorAs(t, rotate(t, n.address, "right-password", "short"), &failure)
	require.Equal(t, contract.InvalidInput, failure.Class)
	require.Equal(t, "neo4j.password_wo", failure.Attribute)
	require.Equal(t, "Neo4j refuses the new password: A password must be at least 8 characters. (Neo.ClientError.Statement.ArgumentError)", failure.Cause)

	n.password = "changed-elsewhere"
	require.ErrorAs(t, rotate(t, n.address, "right-password", "second-password"), &failure)
	require.Equal(t, contract.Denied, failure.Class)
	require.Equal(t, "neo4j.password_wo", failure.Attribute)
	require.NotEmpty(t, failure.Hint)
	require.Equal(t, 2, n.refused, "each password is tried once")

	require.ErrorAs(t, rotate(t, n.address, "right-password", "second-password"), &failure)
	require.Equal(t, contract.Unavailable, failure.Class, "a locked account is let in later")
	require.Contains(t, failure.Cause, `has locked "neo4j" for some seconds`)
}

func TestNeo4jRotationNeedsANeo4j(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	var failure *contract.StepFailure
	require.ErrorAs(t, rotate(t, address, "a", "b"), &failure)
	require.Equal(t, contract.Unavailable, failure.Class)
	require.Contains(t, failure.Cause, "neo4j at bolt://"+address+" does not answer")
}
