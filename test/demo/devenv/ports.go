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

// webUIDistance is how far the Web UI's port is from Temporal's: that is where the provider expects the one of a local server.
const webUIDistance = 1000

// UsualPorts returns free ports for Temporal and its Web UI, 7233 and 8233 if they are free.
func UsualPorts() (temporal, webUI int, err error) {
	const first, last, step = 7233, 7433, 10
	for port := first; port <= last; port += step {
		if Free(port) && Free(port+webUIDistance) {
			return port, port + webUIDistance, nil
		}
	}
	return 0, 0, fmt.Errorf("no free pair of ports for Temporal and its Web UI from %d/%d to %d/%d on %s",
		first, first+webUIDistance, last, last+webUIDistance, Loopback)
}

// UnusualPorts returns free ports for Temporal and its Web UI that nobody looks for a server on.
func UnusualPorts() (temporal, webUI int, err error) {
	ports, err := FreePorts(20)
	if err != nil {
		return 0, 0, err
	}
	for _, port := range ports {
		if Free(port + webUIDistance) {
			return port, port + webUIDistance, nil
		}
	}
	return 0, 0, fmt.Errorf("no free pair of ports for Temporal and its Web UI among %v on %s", ports, Loopback)
}
