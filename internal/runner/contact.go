package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	// refusalGrace is how long a server that has never answered may refuse connections: it may just be starting.
	refusalGrace = 2 * time.Second
	retryDelay   = 200 * time.Millisecond
	maxDelay     = 2 * time.Second
	// namespacesShown bounds the list of namespaces in a diagnostic.
	namespacesShown = 10
)

// contact waits until Temporal answers for the first time; later it does nothing.
func (c *Client) contact(ctx context.Context) error {
	if c.contacted.Load() {
		return nil
	}
	begin := time.Now()
	dialCtx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	for {
		_, err := c.sdk.WorkflowService().GetSystemInfo(dialCtx, &workflowservice.GetSystemInfoRequest{})
		if err == nil {
			c.contacted.Store(true)
			return nil
		}
		if ctx.Err() != nil {
			return &InterruptedError{Ending: Ending{NeverStarted: true, Clean: true}}
		}
		reason := reasonOf(err)
		if time.Since(begin) >= reason.patience(c.cfg.DialTimeout) || !pause(dialCtx, retryDelay) {
			return c.unreachable(err)
		}
	}
}

// pause waits for d and reports whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Reason says why Temporal cannot be worked with.
type Reason string

// Reasons of an UnreachableError.
const (
	Refused          Reason = "refused"
	TimedOut         Reason = "timed out"
	UnknownHost      Reason = "unknown host"
	TLSProblem       Reason = "TLS problem"
	NotTemporal      Reason = "not a Temporal frontend"
	UnknownNamespace Reason = "unknown namespace"
	Denied           Reason = "permission denied"
	Unavailable      Reason = "unavailable"
)

// patience is how long a first contact is tried again. What nobody changes within seconds is reported at once.
func (r Reason) patience(dialTimeout time.Duration) time.Duration {
	switch r {
	case TLSProblem, NotTemporal, UnknownNamespace, Denied:
		return 0
	case Refused, UnknownHost:
		return min(refusalGrace, dialTimeout)
	case TimedOut, Unavailable:
		return dialTimeout
	default:
		return dialTimeout
	}
}

// reasonTexts are what gRPC, whose errors carry no types, says of a failed connection. The first that fits counts.
var reasonTexts = []struct {
	reason Reason
	texts  []string
}{
	{UnknownHost, []string{"no such host", "produced zero addresses", "server misbehaving", "no children to pick from"}},
	{TLSProblem, []string{"x509:", "tls:", "authentication handshake failed", "certificate"}},
	// What accepts and stays silent is hung up on while gRPC waits for the server's first bytes.
	{TimedOut, []string{"use of closed network connection"}},
	{NotTemporal, []string{"error reading server preface", "HTTP/1", "unexpected HTTP status", "frame too large"}},
	{Refused, []string{"connection refused"}},
	{TimedOut, []string{"i/o timeout", "deadline exceeded"}},
}

func reasonOf(err error) Reason {
	var namespace *serviceerror.NamespaceNotFound
	var denied *serviceerror.PermissionDenied
	switch {
	case errors.As(err, &namespace):
		return UnknownNamespace
	case errors.As(err, &denied), code(err) == codes.Unauthenticated:
		return Denied
	}
	switch code(err) {
	case codes.Unimplemented:
		return NotTemporal
	case codes.InvalidArgument, codes.NotFound, codes.FailedPrecondition, codes.ResourceExhausted:
		return Unavailable // a Temporal server's own words, which are not to be searched for gRPC's
	}
	for _, r := range reasonTexts {
		if slices.ContainsFunc(r.texts, func(text string) bool { return strings.Contains(err.Error(), text) }) {
			return r.reason
		}
	}
	return Unavailable
}

// code is the gRPC code of an error, whether the SDK has given it a type or not.
func code(err error) codes.Code {
	var typed serviceerror.ServiceError
	if errors.As(err, &typed) {
		return typed.Status().Code()
	}
	return status.Code(err)
}

// unreachable describes why a call to Temporal failed.
func (c *Client) unreachable(err error) *UnreachableError {
	u := &UnreachableError{Endpoint: c.endpoint(), Reason: reasonOf(err), Cause: err, Waited: c.cfg.DialTimeout}
	if u.Reason == UnknownNamespace {
		u.Namespaces = c.namespaces()
	}
	return u
}

// namespaces lists what is there, to show next to a name that is not. It may be forbidden; then the list is empty.
func (c *Client) namespaces() []string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	list, err := c.sdk.WorkflowService().ListNamespaces(ctx, &workflowservice.ListNamespacesRequest{PageSize: namespacesShown})
	if err != nil {
		c.cfg.Logger.Debug("cannot list the namespaces", "error", err)
		return nil
	}
	var names []string
	for _, n := range list.GetNamespaces() {
		if name := n.GetNamespaceInfo().GetName(); name != "temporal-system" {
			names = append(names, name)
		}
	}
	return names
}

// permanent reports that trying the same call again cannot help.
func permanent(err error) bool {
	switch code(err) {
	case codes.NotFound, codes.PermissionDenied, codes.Unauthenticated, codes.InvalidArgument, codes.Unimplemented:
		return true
	default:
		return unreadable(err) || errors.Is(err, errUnencodable)
	}
}

func (c *Client) endpoint() Endpoint {
	return Endpoint{
		Address: c.resolved.Address, Source: c.resolved.AddressSource,
		Namespace: c.resolved.Namespace, TLS: c.resolved.TLS,
	}
}

// Endpoint is which Temporal an error is about.
type Endpoint struct {
	Address string
	// Source says where the address was set.
	Source    string
	Namespace string
	TLS       bool
}

// flags are those that `temporal` and `orch-worker` need to reach the endpoint.
func (e Endpoint) flags() string {
	flags := "--address " + e.Address
	if e.Namespace != DefaultNamespace {
		flags += " --namespace " + e.Namespace
	}
	return flags
}

func (e Endpoint) String() string {
	return fmt.Sprintf("%s (from %s), namespace %q", e.Address, e.Source, e.Namespace)
}
