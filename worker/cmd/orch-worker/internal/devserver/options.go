package devserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"
)

// Defaults of Options.
const (
	DefaultIP        = "127.0.0.1"
	DefaultPort      = 7233
	DefaultUIPort    = 8233
	DefaultNamespace = "default"
	DefaultRetention = 7 * 24 * time.Hour
)

// Options configures Start. The zero value of every field but DataDir means its default.
type Options struct {
	// DataDir is the directory of the database file; it is created with mode 0700 when absent. Only one process may use it
	// at a time: the caller locks it.
	DataDir string
	// IP is the loopback address that everything listens on. The server has no authentication, so others are refused.
	IP string
	// Port is the gRPC port of the frontend.
	Port int
	// UIPort is the port of the Web UI; below zero there is no Web UI.
	UIPort int
	// Namespace is created when absent. Its retention is raised to Retention when it is shorter.
	Namespace string
	// Retention is how long closed workflows are kept.
	Retention time.Duration
	// Logger receives progress at info, and what the server itself logs from warn up.
	Logger *slog.Logger
	// OnStart is called synchronously before the server handles a request that may start a workflow. It delays the request
	// while it runs and ends with the request's context.
	OnStart func(ctx context.Context, s StartRequest)
}

// StartRequest names the workflow that a client asks to start.
type StartRequest struct {
	Namespace, TaskQueue, WorkflowType, WorkflowID string
}

func (o Options) withDefaults() Options {
	if o.IP == "" {
		o.IP = DefaultIP
	}
	if o.Port == 0 {
		o.Port = DefaultPort
	}
	if o.UIPort == 0 {
		o.UIPort = DefaultUIPort
	}
	if o.Namespace == "" {
		o.Namespace = DefaultNamespace
	}
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	if o.DataDir == "" {
		return errors.New("embedded Temporal server: no data directory is given; pass --data-dir")
	}
	ip := net.ParseIP(o.IP)
	if ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("embedded Temporal server: %q is not a loopback IP address; the server has no authentication, "+
			"so it listens on loopback only; pass --ip %s, or use a Temporal cluster with `orch-worker run --address`", o.IP, DefaultIP)
	}
	if o.Retention < 24*time.Hour {
		return fmt.Errorf("embedded Temporal server: retention %s is below 24h, the least that Temporal accepts", o.Retention)
	}
	if o.Port == o.UIPort {
		return fmt.Errorf("embedded Temporal server: port %d is given for both the server and the Web UI; pass another --ui-port", o.Port)
	}
	if err := checkPort(o.IP, o.Port, "--port"); err != nil {
		return err
	}
	if o.UIPort < 0 {
		return nil
	}
	return checkPort(o.IP, o.UIPort, "--ui-port")
}

// checkPort looks before the server does, because the server and the Web UI end the process when they cannot listen.
func checkPort(ip string, port int, flag string) error {
	if port < 1 || port > 65535 {
		return fmt.Errorf("embedded Temporal server: %s %d is not a port number; pass one from 1 to 65535", flag, port)
	}
	l, err := net.Listen("tcp", hostPort(ip, port))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("embedded Temporal server: port %d on %s is already in use; stop what listens there "+
			"(another orch-worker dev?), or pass another %s: %w", port, ip, flag, err)
	}
	if err != nil {
		return fmt.Errorf("embedded Temporal server: cannot listen on port %d of %s; pass another %s: %w", port, ip, flag, err)
	}
	return l.Close()
}

// The ports of services that only this process talks to. They lie below those that kernels hand out by themselves: the server
// listens a moment after they were found free, and until then every connection of any program could take one of those.
const (
	firstInternal = 30000
	lastInternal  = 32767
)

// internalPorts returns n distinct free ports for the services that only this process talks to. The server's own port says where
// the search begins, so that servers that start at the same time do not find the same ones.
func internalPorts(ip string, own, n int) (ports []int, err error) {
	const all = lastInternal - firstInternal + 1
	for i := range all {
		port := firstInternal + (own*n+i)%all
		l, err := net.Listen("tcp", hostPort(ip, port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("embedded Temporal server: look for a free port: %w", err)
		}
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("embedded Temporal server: there are not %d free ports from %d to %d for its internal services on %s", n, firstInternal, lastInternal, ip)
}

func hostPort(ip string, port int) string {
	return net.JoinHostPort(ip, strconv.Itoa(port))
}
