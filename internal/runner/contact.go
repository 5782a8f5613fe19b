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
	"go.temporal.io/sdk/client"
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
		reason := c.resolved.reason(err)
		if time.Since(begin) >= reason.patience(c.cfg.DialTimeout) || !pause(dialCtx, retryDelay) {
			return c.unreachable(err)
		}
	}
}

// Dial connects a worker: it returns when Temporal answers and has the namespace, or an error that says why not.
func Dial(ctx context.Context, options client.Options, resolved Resolved) (client.Client, error) {
	sdk, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("make Temporal client for %s (from %s): %w", resolved.Address, resolved.AddressSource, err)
	}
	c := &Client{cfg: Config{}.withDefaults(), resolved: resolved, sdk: sdk}
	if err := c.admitted(ctx); err != nil {
		sdk.Close()
		return nil, err
	}
	return sdk, nil
}

// admitted makes sure that Temporal answers, knows the namespace, and lets the client in.
func (c *Client) admitted(ctx context.Context) error {
	if err := c.contact(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.DialTimeout)
	defer cancel()
	_, err := c.sdk.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: c.resolved.Namespace})
	if err != nil {
		return c.unreachable(err)
	}
	return nil
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
	Refused     Reason = "refused"
	TimedOut    Reason = "timed out"
	UnknownHost Reason = "unknown host"
	// WrongCA to ServerWithoutTLS are what the client finds wrong with the server's certificate.
	WrongCA          Reason = "certificate of an unknown authority"
	CertExpired      Reason = "expired certificate"
	WrongName        Reason = "certificate of another name"
	ServerWithoutTLS Reason = "server without TLS"
	// NoClientCert and ClientCertRefused are what the server finds wrong with the client's.
	NoClientCert      Reason = "missing client certificate"
	ClientCertRefused Reason = "refused client certificate"
	// TLSProblem is any other failure of the handshake.
	TLSProblem       Reason = "TLS problem"
	NotTemporal      Reason = "not a Temporal frontend"
	UnknownNamespace Reason = "unknown namespace"
	Denied           Reason = "permission denied"
	Unavailable      Reason = "unavailable"
)

// patience is how long a first contact is tried again. What nobody changes within seconds is reported at once.
func (r Reason) patience(dialTimeout time.Duration) time.Duration {
	switch r {
	case WrongCA, CertExpired, WrongName, ServerWithoutTLS, NoClientCert, ClientCertRefused, NotTemporal, UnknownNamespace, Denied:
		return 0
	// A server that hangs up at the wrong moment hides its reason; the next attempt may show it.
	case Refused, UnknownHost, TLSProblem:
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
	// An alert is what the server says of the client's certificate. Which one a missing certificate gets depends on the
	// version of TLS; reasonOf tells it from a refused one.
	{NoClientCert, []string{"tls: certificate required"}},
	{ClientCertRefused, []string{
		"remote error: tls: unknown certificate", "remote error: tls: expired certificate", "remote error: tls: bad certificate",
		"remote error: tls: revoked certificate", "remote error: tls: unsupported certificate", "remote error: tls: access denied",
	}},
	{CertExpired, []string{"x509: certificate has expired or is not yet valid"}},
	{WrongCA, []string{"x509: certificate signed by unknown authority", "certificate is not trusted"}},
	{WrongName, []string{
		"x509: certificate is valid for", "x509: certificate is not valid for any names", "because it doesn't contain any IP SANs",
		"x509: certificate relies on legacy Common Name",
	}},
	{ServerWithoutTLS, []string{"first record does not look like a TLS handshake"}},
	// Temporal speaks HTTP/2, which a web server may refuse to.
	{NotTemporal, []string{"tls: no application protocol"}},
	{TLSProblem, []string{"x509:", "tls:", "authentication handshake failed", "certificate"}},
	// What accepts and stays silent is hung up on while gRPC waits for the server's first bytes.
	{TimedOut, []string{"use of closed network connection"}},
	{NotTemporal, []string{"error reading server preface", "HTTP/1", "unexpected HTTP status", "frame too large"}},
	{Refused, []string{"connection refused"}},
	{TimedOut, []string{"i/o timeout", "deadline exceeded"}},
}

// reasonOf tells why a call to Temporal failed. What a failed handshake means depends on whether a certificate was shown:
// reason of the client asks with that knowledge.
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

// reason is reasonOf with what is known of the connection.
func (r Resolved) reason(err error) Reason {
	reason := reasonOf(err)
	text := err.Error()
	switch {
	case !r.TLS:
		return reason
	// A certificate that is from none of the authorities that the server names is not even shown to it.
	case r.ClientCert && reason == NoClientCert:
		return ClientCertRefused
	case r.ClientCert:
		return reason
	// Up to TLS 1.2 there is no alert of its own for a certificate that is missing.
	case reason == ClientCertRefused && strings.Contains(text, "bad certificate"), reason == TLSProblem && strings.Contains(text, "handshake failure"):
		return NoClientCert
	default:
		return reason
	}
}

// Unreachable describes why a call to Temporal failed, for a client of the worker's, which has no Client of this package.
func (r Resolved) Unreachable(err error, waited time.Duration) *UnreachableError {
	return &UnreachableError{Endpoint: r.endpoint(), Reason: r.reason(err), Cause: err, Waited: waited}
}

// unreachable describes why a call to Temporal failed.
func (c *Client) unreachable(err error) *UnreachableError {
	u := c.resolved.Unreachable(err, c.cfg.DialTimeout)
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

func (c *Client) endpoint() Endpoint { return c.resolved.endpoint() }

func (r Resolved) endpoint() Endpoint {
	return Endpoint{
		Address: r.Address, Source: r.AddressSource, Namespace: r.Namespace, TLS: r.TLS, ServerName: r.ServerName, flagged: r.flagged,
	}
}

// Endpoint is which Temporal an error is about.
type Endpoint struct {
	Address string
	// Source says where the address was set.
	Source    string
	Namespace string
	TLS       bool
	// ServerName is the name that the server's certificate must have.
	ServerName string

	// flagged is set where settings are flags of a command, not attributes of the provider.
	flagged bool
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
