package devenv

import (
	"fmt"
	"net"
	"strconv"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
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

// FreePorts returns n different ports that nothing listens on, and that no other test or benchmark of this machine is given.
func FreePorts(n int) ([]int, error) {
	all := make([]int, n)
	for i := range all {
		var err error
		if all[i], err = ports.Reserve(); err != nil {
			return nil, err
		}
	}
	return all, nil
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
func UnusualPorts() (temporal, webUI int, err error) { return ports.Pair() }
