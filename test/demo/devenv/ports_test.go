package devenv

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFreePortsAreDifferentAndFree(t *testing.T) {
	ports, err := FreePorts(20)
	require.NoError(t, err)
	seen := map[int]bool{}
	for _, port := range ports {
		require.False(t, seen[port])
		seen[port] = true
	}
	l, err := net.Listen("tcp", Address(ports[0]))
	require.NoError(t, err)
	require.False(t, Free(ports[0]))
	require.NoError(t, l.Close())
	require.True(t, Free(ports[0]))
}
