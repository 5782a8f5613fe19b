package ports

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryPortIsHandedOutOnce(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var mu sync.Mutex
	seen := map[int]bool{}
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for range 25 {
				port, err := Reserve()
				mu.Lock()
				if err != nil || seen[port] || port < first || port > last {
					t.Errorf("port %d, seen %t, error %v", port, seen[port], err)
				}
				seen[port] = true
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	require.Len(t, seen, 100)
}

func TestPortsThatAreTakenAreLeftOut(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	port, err := Reserve()
	require.NoError(t, err)
	temporal, webUI, err := Pair()
	require.NoError(t, err)
	require.Equal(t, temporal+1000, webUI, "the provider's links go there")

	// The port that is next is taken by somebody, and so is that of the next Web UI.
	take(t, port+1)
	take(t, webUI+1)
	other, err := Reserve()
	require.NoError(t, err)
	require.Greater(t, other, port+1)
	other, _, err = Pair()
	require.NoError(t, err)
	require.Greater(t, other, temporal+1)
}

func take(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err == nil {
		t.Cleanup(func() { require.NoError(t, l.Close()) })
	}
	require.False(t, Free(port))
}

func TestAfterTheLastPortComesTheFirst(t *testing.T) {
	from := last + 1
	port, err := choose(&from, first, last, 0)
	require.NoError(t, err)
	require.Less(t, port, last)
	require.Equal(t, port+1, from)
}
