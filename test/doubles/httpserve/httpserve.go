package httpserve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// gracePeriod stays well below the 10 s after which Docker kills a stopping container.
const gracePeriod = 5 * time.Second

// Run serves every handler on its address until ctx ends or a listener fails. All addresses
// are bound before the first request is served, so a taken port fails the start.
func Run(ctx context.Context, handlers map[string]http.Handler) error {
	return RunTLS(ctx, handlers, nil)
}

// RunTLS is Run with TLS on the addresses that have a configuration of it.
func RunTLS(ctx context.Context, handlers map[string]http.Handler, certificates map[string]*tls.Config) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listeners := make(map[string]net.Listener, len(handlers))
	for addr := range handlers {
		var lc net.ListenConfig
		ln, err := lc.Listen(ctx, "tcp", addr)
		if err != nil {
			for _, open := range listeners {
				_ = open.Close()
			}
			return fmt.Errorf("listen on %s: %w", addr, err)
		}
		if config := certificates[addr]; config != nil {
			ln = tls.NewListener(ln, config)
		}
		listeners[addr] = ln
	}
	failures := make(chan error, len(handlers))
	servers := make([]*http.Server, 0, len(handlers))
	for addr, ln := range listeners {
		srv := &http.Server{Handler: handlers[addr], ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, srv)
		go func() { failures <- srv.Serve(ln) }()
	}
	var failure error
	select {
	case <-ctx.Done():
	case failure = <-failures:
	}
	return errors.Join(failure, shutdown(context.WithoutCancel(ctx), servers))
}

func shutdown(ctx context.Context, servers []*http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, gracePeriod)
	defer cancel()
	var errs []error
	for _, srv := range servers {
		errs = append(errs, srv.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

// Hold listens on an address whose protocol the double does not speak, so that port
// conflicts and probes behave; it hangs up on every caller until it is closed.
func Hold(ctx context.Context, addr string) (io.Closer, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return ln, nil
}
