package connections

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

// mistake is what a wrong connection is answered with.
type mistake struct {
	reason runner.Reason
	// says is part of the message that both give; provider and worker are what their advice names.
	says, provider, worker string
}

// refused asserts that both ways in fail soon, with the same words and advice of their own.
func refused(t *testing.T, w way, want mistake) {
	t.Helper()
	began := time.Now()
	_, err := look(t, w)
	require.Error(t, err)
	var unreachable *runner.UnreachableError
	require.ErrorAs(t, err, &unreachable, "%v", err)
	require.Equal(t, want.reason, unreachable.Reason, "%v", unreachable.Cause)
	require.Less(t, time.Since(began), answerLimit)
	text := runner.Detail(err)
	t.Log("provider: " + text)
	require.Contains(t, text, want.says)
	_, next, _ := strings.Cut(text, "Next: ")
	require.Contains(t, next, want.provider)

	p := worker(t, w)
	select {
	case <-p.exited:
	case <-time.After(answerLimit + 10*time.Second):
		require.Fail(t, "orch-worker run does not end", p.out.String())
	}
	require.Equal(t, 1, p.cmd.ProcessState.ExitCode())
	_, message, found := strings.Cut(p.out.String(), "Error: ")
	require.True(t, found, p.out.String())
	require.Contains(t, message, want.says)
	_, next, _ = strings.Cut(message, "Next: ")
	require.Contains(t, next, want.worker)
}

func TestMistakes(t *testing.T) {
	ca, other := newAuthority(t, "test authority"), newAuthority(t, "another authority")
	s := startSecured(t, ca.server(serverName), ca)
	good := at(s.address).tls(s.tls())
	good.use(t)
	old := startSecured(t, ca.server(serverName, expired), ca)
	prepareSecured(t, s)

	change := func(f func(*runner.TLS)) way {
		files := s.tls()
		f(&files)
		return at(s.address).tls(files)
	}
	show := func(pair keyPair) way {
		return change(func(f *runner.TLS) { f.CertFile, f.KeyFile = pair.cert, pair.key })
	}
	plain, _ := startTemporal(t)
	waitForListener(t, plain)

	for name, tc := range map[string]struct {
		way  way
		want mistake
	}{
		"wrong CA": {change(func(f *runner.TLS) { f.CACertFile = other.file }),
			mistake{runner.WrongCA, "is from an authority that is not trusted here", "tls.ca_cert_file", "--tls-ca-cert-file"}},
		"expired certificate of the server": {at(old.address).tls(s.tls()),
			mistake{runner.CertExpired, "has expired or is not yet valid", "renew the server's certificate", "renew the server's certificate"}},
		"wrong name": {change(func(f *runner.TLS) { f.ServerName = "elsewhere.test" }),
			mistake{runner.WrongName, `is not made out to "elsewhere.test"`, "tls.server_name", "--tls-server-name"}},
		"no client certificate": {change(func(f *runner.TLS) { f.CertFile, f.KeyFile = "", "" }),
			mistake{runner.NoClientCert, "requires a client certificate, and none is configured", "tls.client_cert_file", "--tls-client-cert-file"}},
		"expired client certificate": {show(ca.client("orch", expired)),
			mistake{runner.ClientCertRefused, "refuses the client certificate, which has expired", "tls.client_cert_file", "--tls-client-cert-file"}},
		"client certificate of another authority": {show(other.client("orch")),
			mistake{runner.ClientCertRefused, "refuses the client certificate, which is from an authority that it does not trust", "tls.client_cert_file", "--tls-client-cert-file"}},
		"unknown namespace": {good.namespace("nowhere"),
			mistake{runner.UnknownNamespace, `has no namespace "nowhere"`, "one of: default", "one of: default"}},
		"unreachable address": {at(nobody(t)).tls(s.tls()),
			mistake{runner.Refused, "refuses the connection", "address", "--address"}},
		"no TLS, where the server wants it": {at(s.address),
			mistake{runner.NotTemporal, "is not a Temporal frontend", "set tls = {}", "pass --tls"}},
		"TLS, where the server has none": {at(plain).tls(s.tls()),
			mistake{runner.ServerWithoutTLS, "does not speak TLS", "set tls = { disabled = true }", "pass --tls=false"}},
	} {
		t.Run(name, func(t *testing.T) { refused(t, tc.way, tc.want) })
	}
}

func prepareSecured(t *testing.T, s secured) {
	t.Helper()
	prepare(t, s.process, at(s.address).tls(s.tls()).provider, "default")
}

// waitForListener waits until somebody listens.
func waitForListener(t *testing.T, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", address)
		return err == nil && conn.Close() == nil
	}, startLimit, pollEvery, "nobody listens at "+address)
}
