package runner

import (
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestTemporalThatCannotBeReached(t *testing.T) {
	t.Parallel()
	closed := listen(t)
	require.NoError(t, closed.Close())
	web := httptest.NewServer(nil)
	t.Cleanup(web.Close)
	secure := httptest.NewUnstartedServer(nil)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	oldWeb := httptest.NewTLSServer(nil)
	t.Cleanup(oldWeb.Close)

	// What is known at once is told before the 10 s are over that an attempt may take.
	for name, tc := range map[string]struct {
		cfg    Config
		reason Reason
		within time.Duration
		next   string
	}{
		"refuses": {Config{Address: closed.Addr().String()}, Refused, 9 * time.Second, "orch-worker dev"},
		"hangs":   {Config{Address: listen(t).Addr().String(), DialTimeout: 3 * time.Second}, TimedOut, 9 * time.Second, "firewall"},
		"host does not exist": {
			Config{Address: "temporal.invalid:7233", DialTimeout: 4 * time.Second}, UnknownHost, 20 * time.Second, "TEMPORAL_ADDRESS",
		},
		"a web server":                  {Config{Address: web.Listener.Addr().String()}, NotTemporal, 9 * time.Second, "7233"},
		"certificate of an unknown CA":  {Config{Address: secure.Listener.Addr().String(), TLS: &TLS{}}, WrongCA, 9 * time.Second, "tls.ca_cert_file"},
		"a web server with TLS":         {Config{Address: oldWeb.Listener.Addr().String(), TLS: &TLS{}}, NotTemporal, 9 * time.Second, "7233"},
		"no TLS where it is expected":   {Config{Address: secure.Listener.Addr().String()}, NotTemporal, 9 * time.Second, "tls = {}"},
		"TLS where there is none":       {Config{Address: web.Listener.Addr().String(), TLS: &TLS{}}, ServerWithoutTLS, 9 * time.Second, "disabled = true"},
		"TLS against a Temporal server": {Config{Address: running(t).address, TLS: &TLS{}}, ServerWithoutTLS, 9 * time.Second, "disabled = true"},
		"namespace does not exist":      {Config{Address: running(t).address, Namespace: "nope"}, UnknownNamespace, 9 * time.Second, "one of: default"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := New(tc.cfg)
			require.NoError(t, err, "nothing is dialled yet")
			t.Cleanup(c.Close)
			began := time.Now()
			_, err = c.Run(t.Context(), newCall(t, wfEcho), nil, nil)
			var unreachable *UnreachableError
			require.ErrorAs(t, err, &unreachable)
			require.Equal(t, tc.reason, unreachable.Reason, unreachable.Cause)
			require.Less(t, time.Since(began), tc.within)
			require.Contains(t, err.Error(), tc.cfg.Address)
			require.Contains(t, err.Error(), "the attribute address")
			_, next, ok := strings.Cut(Detail(err), "Next: ")
			require.True(t, ok)
			require.Contains(t, next, tc.next)
		})
	}
	t.Run("InFlight and Status report it too", func(t *testing.T) {
		t.Parallel()
		c, err := New(Config{Address: closed.Addr().String()})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		var unreachable *UnreachableError
		_, _, _, err = c.InFlight(t.Context(), newCall(t, wfEcho).ref())
		require.ErrorAs(t, err, &unreachable)
		_, err = c.Status(t.Context(), newCall(t, wfEcho), nil)
		require.ErrorAs(t, err, &unreachable)
	})
}

func TestServerThatIsJustStarting(t *testing.T) {
	t.Parallel()
	running(t)
	s, err := newServer(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { s.kill() })
	c := newClient(t, s)
	c.cfg.DialTimeout = 30 * time.Second
	c.contacted.Store(true) // known from before, so that a refusal may be a restart
	call := newCall(t, wfEcho)
	done := make(chan error, 1)
	go func() {
		_, err := c.Status(t.Context(), call, nil)
		done <- err
	}()
	require.NoError(t, s.start())
	serve(t, s, call.TaskQueue)
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("no answer")
	}
}

func TestWhichPollersAreAlive(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	poller := func(id string, age time.Duration) *taskqueuepb.PollerInfo {
		return &taskqueuepb.PollerInfo{Identity: id, LastAccessTime: timestamppb.New(now.Add(-age))}
	}
	for name, tc := range map[string]struct {
		reason  string
		pollers []*taskqueuepb.PollerInfo
		waited  time.Duration
		last    string
		fresh   bool
	}{
		"none":                       {"", nil, 10 * time.Second, "", false},
		"long-polling":               {"a poll lasts up to 60 s", []*taskqueuepb.PollerInfo{poller("a", 55*time.Second)}, 10 * time.Second, "a", true},
		"gone for two minutes":       {"the server remembers 5 minutes", []*taskqueuepb.PollerInfo{poller("a", 2*time.Minute)}, 10 * time.Second, "a", false},
		"polled before the task":     {"it would have been given the task", []*taskqueuepb.PollerInfo{poller("a", 55*time.Second)}, 31 * time.Second, "a", false},
		"polled after the task":      {"it is busy", []*taskqueuepb.PollerInfo{poller("a", 20*time.Second)}, 31 * time.Second, "a", true},
		"one of two is alive":        {"", []*taskqueuepb.PollerInfo{poller("old", 4*time.Minute), poller("new", time.Second)}, 31 * time.Second, "new", true},
		"last one is told of anyway": {"", []*taskqueuepb.PollerInfo{poller("older", 4*time.Minute), poller("old", 3*time.Minute)}, 10 * time.Second, "old", false},
	} {
		t.Run(name, func(t *testing.T) {
			last, fresh := lastPoller(tc.pollers, freshSince(now, now.Add(-tc.waited), tc.waited))
			require.Equal(t, tc.last, last.GetIdentity())
			require.Equal(t, tc.fresh, fresh, tc.reason)
		})
	}
}
