package engine

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"google.golang.org/grpc"
)

// buildSession is the way back from BuildKit to the worker for the time of one build: BuildKit asks it for the logins of
// registries, and refuses to fetch a base image without one.
type buildSession struct {
	*session.Session
	ended chan struct{}
}

func (b *imageBuild) openSession(ctx context.Context) (*buildSession, error) {
	opened, err := session.NewSession(ctx, b.call.Ref.ID())
	if err != nil {
		return nil, b.fail(ctx, err, "open a build session")
	}
	opened.Allow(&loginServer{config: dockerConfig()})
	s := &buildSession{Session: opened, ended: make(chan struct{})}
	dialed := make(chan error, 1)
	go func() {
		defer close(s.ended)
		err := opened.Run(ctx, func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			conn, err := b.api.DialHijack(ctx, "/session", proto, meta)
			dialed <- err
			return conn, err
		})
		if err != nil {
			b.log.Debug("build session ended", "error", err)
		}
	}()
	if err := <-dialed; err != nil {
		<-s.ended
		return nil, &unsuitable{b.fail(ctx, err, "open a build session with the Docker Engine")}
	}
	return s, nil
}

func (s *buildSession) close() {
	_ = s.Close()
	<-s.ended
}

// loginServer gives BuildKit the logins of the worker user's Docker configuration.
type loginServer struct {
	auth.UnimplementedAuthServer
	config []byte
}

func (l *loginServer) Register(server *grpc.Server) { auth.RegisterAuthServer(server, l) }

// Credentials is asked for one registry; an empty answer means none.
func (l *loginServer) Credentials(_ context.Context, request *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	host := request.Host
	if host == "registry-1.docker.io" {
		host = "docker.io"
	}
	login := loginFor(logins(l.config), host)
	return &auth.CredentialsResponse{Username: login.Username, Secret: login.Password}, nil
}

// sourceReader remembers why a context could not be read: the HTTP client tells that in words only.
type sourceReader struct {
	stream io.Reader

	mu  sync.Mutex
	err error
}

func (s *sourceReader) Read(p []byte) (int, error) {
	n, err := s.stream.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
	}
	return n, err
}

func (s *sourceReader) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
