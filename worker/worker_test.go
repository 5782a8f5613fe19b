package worker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func TestQueuesAreNamedByServiceOrAsTheyAre(t *testing.T) {
	queues, err := Options{ServiceNames: []string{"b", "a"}, TaskQueues: []string{"x", "a-queue"}}.queues()
	require.NoError(t, err)
	require.Equal(t, []string{"a-queue", "b-queue", "x"}, queues)
	for name, o := range map[string]Options{
		"no queue to poll": {}, "cannot be empty": {TaskQueues: []string{""}}, "is not valid": {ServiceNames: []string{"A"}},
	} {
		_, err := o.queues()
		require.ErrorContains(t, err, name)
	}
}

// polled is a client that knows one poller; any other call is a nil dereference, which fails the test.
type polled struct {
	client.Client
	identity string
	err      error
}

func (p polled) DescribeTaskQueue(context.Context, string, enums.TaskQueueType) (*workflowservice.DescribeTaskQueueResponse, error) {
	return &workflowservice.DescribeTaskQueueResponse{Pollers: []*taskqueue.PollerInfo{
		{Identity: p.identity, LastAccessTime: timestamppb.Now()},
	}}, p.err
}

func TestHealthLooksForItselfAmongThePollers(t *testing.T) {
	h := &health{identity: "me", queues: []string{"app-queue"}}
	require.ErrorContains(t, h.check(context.Background()), "not connected")
	h.connected(polled{identity: "somebody else"})
	require.ErrorContains(t, h.check(context.Background()), "app-queue is not polled by this worker")
	h.connected(polled{identity: "me"})
	require.NoError(t, h.check(context.Background()))
	h.connected(polled{identity: "me", err: errors.New("gone")})
	require.ErrorContains(t, h.check(context.Background()), "gone")
	h.fail(errors.New("fatal"))
	require.ErrorContains(t, h.check(context.Background()), "fatal")
}

func TestHealthAndMetricsAreServed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	_, _, err = Observe(address, nil, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "--metrics-address "+address, "a taken port is named with its flag")
	require.NoError(t, listener.Close())

	var sick error
	handler, stop, err := Observe(address, func(context.Context) error { return sick }, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer stop()
	handler.Counter("orch_test").Inc(1)
	status, body := get(t, "http://"+address+"/healthz")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "ok\n", body)
	sick = errors.New("nobody polls")
	status, body = get(t, "http://"+address+"/healthz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "nobody polls")
	_, body = get(t, "http://"+address+"/metrics")
	require.Contains(t, body, "orch_test")
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}
