package ports

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// All ports lie below the range that the kernel hands out, so that no client's connection takes one meanwhile, and above the
// defaults of the components.
const (
	first, last         = 15000, 27999
	firstPair, lastPair = 28000, 28999
	// pairDistance is how far the Web UI's port is from Temporal's: that is where the provider expects the one of a local server.
	pairDistance = 1000
)

// next is what was handed out so far on this machine, by all processes.
type next struct {
	Port int `json:"port"`
	Pair int `json:"pair"`
}

// Reserve returns a port that nobody listens on, and that nobody else is given before thousands of others.
func Reserve() (port int, err error) {
	err = locked(func(n *next) error {
		port, err = choose(&n.Port, first, last, 0)
		return err
	})
	return port, err
}

// Pair returns two of them for a Temporal server and its Web UI.
func Pair() (temporal, webUI int, err error) {
	err = locked(func(n *next) error {
		temporal, err = choose(&n.Pair, firstPair, lastPair, pairDistance)
		return err
	})
	return temporal, temporal + pairDistance, err
}

// choose goes on from where the last one has ended until a port is free, and so is the one at that distance.
func choose(from *int, lowest, highest, distance int) (int, error) {
	for range highest - lowest + 1 {
		port := *from
		if port < lowest || port > highest {
			port = lowest
		}
		*from = port + 1
		if Free(port) && (distance == 0 || Free(port+distance)) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port from %d to %d", lowest, highest)
}

// Free reports whether nothing listens on a port, at any address.
func Free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// locked lets one process at a time read and change what is next. A file that cannot be read, after a crash, begins anew.
func locked(change func(*next) error) (err error) {
	file, err := os.OpenFile(filepath.Join(os.TempDir(), fmt.Sprintf("orch-test-ports-%d", os.Getuid())), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("reserve a port: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }() // which unlocks
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("reserve a port: %w", err)
	}
	var n next
	if data, err := io.ReadAll(file); err != nil || json.Unmarshal(data, &n) != nil {
		n = next{}
	}
	if err := change(&n); err != nil {
		return err
	}
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return fmt.Errorf("reserve a port: %w", err)
	}
	_, err = file.WriteAt(data, 0)
	return err
}
