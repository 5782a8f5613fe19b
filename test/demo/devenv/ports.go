package devenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Loopback is the address that everything of a development set-up listens on.
const Loopback = "127.0.0.1"

// Address is a host and port on the loopback interface.
func Address(port int) string { return net.JoinHostPort(Loopback, strconv.Itoa(port)) }

// Free reports whether nothing listens on that loopback port.
func Free(port int) bool {
	l, err := net.Listen("tcp", Address(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// FreePorts returns n different loopback ports that nothing listens on. They are below the range from which systems choose
// the ports of outgoing connections, so that they stay free until they are used.
func FreePorts(n int) ([]int, error) {
	const lowest, highest = 20000, 30000
	var ports []int
	taken := map[int]bool{}
	for range 50 * n {
		port := lowest + rand.IntN(highest-lowest)
		if taken[port] || !Free(port) {
			continue
		}
		taken[port] = true
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports between %d and %d on %s", n, lowest, highest, Loopback)
}

// TemporalPorts returns a free port for Temporal and the one 1000 above it for its Web UI, which is where the provider
// expects the Web UI of a local server. It prefers the usual 7233 and 8233.
func TemporalPorts() (temporal, webUI int, err error) {
	const first, last, step, distance = 7233, 7433, 10, 1000
	for port := first; port <= last; port += step {
		if Free(port) && Free(port+distance) {
			return port, port + distance, nil
		}
	}
	return 0, 0, fmt.Errorf("no free pair of ports for Temporal and its Web UI from %d/%d to %d/%d on %s",
		first, first+distance, last, last+distance, Loopback)
}
