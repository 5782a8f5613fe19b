package devserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	readyTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	pollInterval = 10 * time.Millisecond
	// frontendHealth is the name under which the frontend reports its health.
	frontendHealth = "temporal.api.workflowservice.v1.WorkflowService"
)

// Server is a running embedded Temporal server.
type Server struct {
	options  Options
	server   temporal.Server
	ui       *webUI
	quiet    atomic.Bool
	stopOnce sync.Once
	stopErr  error
}

// Start runs the server and the Web UI and returns when the frontend answers and the namespace exists. When ctx ends
// before that, what was started is stopped again; later the end of ctx has no effect.
func Start(ctx context.Context, options Options) (*Server, error) {
	o := options.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	begin := time.Now()
	limitMemory()
	o.Logger.Info("starting the embedded Temporal server", "address", hostPort(o.IP, o.Port), "data_dir", o.DataDir)
	db, err := openDatabase(o.DataDir, o.Namespace, o.Retention)
	if err != nil {
		return nil, fmt.Errorf("embedded Temporal server: %w", err)
	}
	s := &Server{options: o}
	s.quiet.Store(true)
	if err := s.start(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("embedded Temporal server: %w", err), s.Stop())
	}
	s.quiet.Store(false)
	o.Logger.Info("the embedded Temporal server is ready", "address", s.Address(), "web_ui", s.UIURL(),
		"took", time.Since(begin).Round(time.Millisecond))
	return s, nil
}

// Address returns the host and port of the frontend.
func (s *Server) Address() string {
	return hostPort(s.options.IP, s.options.Port)
}

// Address returns the host and port that the frontend of a server with these options will have.
func Address(o Options) string {
	o = o.withDefaults()
	return hostPort(o.IP, o.Port)
}

// UIURL returns the address of the Web UI, or nothing when it is switched off.
func (s *Server) UIURL() string {
	if s.options.UIPort < 0 {
		return ""
	}
	return "http://" + hostPort(s.options.IP, s.options.UIPort)
}

// Stop stops the Web UI and the server. It may be called more than once.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() {
		s.quiet.Store(true)
		if s.ui != nil {
			s.stopErr = s.ui.stop()
		}
		if s.server != nil {
			s.stopErr = errors.Join(s.stopErr, stopServer(s.server))
		}
	})
	return s.stopErr
}

// stopServer bounds the wait: the server's own limit is five minutes per service.
func stopServer(server temporal.Server) error {
	done := make(chan error, 1)
	go func() { done <- server.Stop() }()
	select {
	case err := <-done:
		return err
	case <-time.After(stopTimeout):
		return fmt.Errorf("the embedded Temporal server has not stopped within %s", stopTimeout)
	}
}

func (s *Server) start(ctx context.Context, db *config.SQL) error {
	opts, err := serverOptions(s.options, db, &s.quiet)
	if err != nil {
		return err
	}
	if s.server, err = newServer(opts); err != nil {
		return err
	}
	if err := s.server.Start(); err != nil {
		return fmt.Errorf("start services: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if s.options.UIPort < 0 {
		return nil
	}
	// The Web UI connects at once and would be in a backoff of a second had it come first.
	s.ui, err = startWebUI(ctx, s.options)
	return err
}

// prepare waits for the frontend and sees to the namespace.
func (s *Server) prepare(ctx context.Context) (err error) {
	conn, err := grpc.NewClient(s.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return fmt.Errorf("connect to the frontend: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	health := grpc_health_v1.NewHealthClient(conn)
	err = poll(ctx, "frontend", func(ctx context.Context) error {
		r, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: frontendHealth}, grpc.WaitForReady(true))
		if err == nil && r.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
			err = fmt.Errorf("its health is %s", r.GetStatus())
		}
		return err
	})
	if err != nil {
		return err
	}
	return poll(ctx, "namespace "+s.options.Namespace, func(ctx context.Context) error {
		return s.raiseRetention(ctx, workflowservice.NewWorkflowServiceClient(conn))
	})
}

// raiseRetention lengthens a retention that an older version or another tool has set; one that is longer is the user's.
func (s *Server) raiseRetention(ctx context.Context, service workflowservice.WorkflowServiceClient) error {
	ns, err := service.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: s.options.Namespace})
	if err != nil {
		return err
	}
	if ns.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration() >= s.options.Retention {
		return nil
	}
	_, err = service.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: s.options.Namespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(s.options.Retention)},
	})
	return err
}

// poll calls try until it succeeds or ctx ends; the error then tells the last failure.
func poll(ctx context.Context, what string, try func(context.Context) error) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the %s: %w (%w)", what, err, ctx.Err())
		case <-tick.C:
		}
	}
}
