package devserver

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServersThatStartTogetherFindDifferentInternalPorts(t *testing.T) {
	seen := map[int]int{}
	for own := 28000; own < 28100; own++ {
		ports, err := internalPorts("127.0.0.1", own, 3)
		require.NoError(t, err)
		require.Len(t, ports, 3)
		for _, port := range ports {
			require.Zero(t, seen[port], "port %d is for the server on %d, too", port, own)
			require.NoError(t, checkPort("127.0.0.1", port, "--port"))
			seen[port] = own
		}
	}
}

func TestAnInternalPortThatIsTakenIsPassedOver(t *testing.T) {
	before, err := internalPorts("127.0.0.1", 28999, 1)
	require.NoError(t, err)
	taken, err := net.Listen("tcp", hostPort("127.0.0.1", before[0]))
	require.NoError(t, err)
	defer taken.Close()
	after, err := internalPorts("127.0.0.1", 28999, 1)
	require.NoError(t, err)
	require.NotEqual(t, before, after)
}
