package cloud_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// answers serves one handler after the other, and the last one for good.
func answers(t *testing.T, handlers ...http.HandlerFunc) (client *cloud.Client, calls *atomic.Int32, g *cloud.Governor) {
	t.Helper()
	calls = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		n := int(calls.Add(1)) - 1
		handlers[min(n, len(handlers)-1)](w, r)
	}))
	t.Cleanup(server.Close)
	g = (&cloud.Governors{}).For("Test", "the-token")
	return cloud.New(cloud.Options{Platform: "Test", BaseURL: server.URL, Token: "the-token", Governor: g, RequestIDHeader: "X-Request-Id"}), calls, g
}

func status(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// cut ends the connection when the work is done.
func cut(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func TestOnlyWhatChangesNothingIsRepeated(t *testing.T) {
	t.Parallel()
	good := status(200, `{"name":"x"}`)
	for name, c := range map[string]struct {
		request   cloud.Request
		first     http.HandlerFunc
		calls     int32
		ambiguous bool
	}{
		"a GET after 503":               {cloud.Request{Method: "GET", Path: "/a"}, status(503, ""), 2, false},
		"a GET after a cut":             {cloud.Request{Method: "GET", Path: "/a"}, cut, 2, false},
		"a query by POST after 500":     {cloud.Request{Method: "POST", Path: "/a", Safe: true}, status(500, ""), 2, false},
		"a POST after 429":              {cloud.Request{Method: "POST", Path: "/a", Body: 1}, status(429, ""), 2, false},
		"a POST after 503":              {cloud.Request{Method: "POST", Path: "/a", Body: 1}, status(503, ""), 1, true},
		"a POST after 408":              {cloud.Request{Method: "POST", Path: "/a", Body: 1}, status(408, ""), 1, true},
		"a POST after a cut":            {cloud.Request{Method: "POST", Path: "/a", Body: 1}, cut, 1, true},
		"a DELETE after a cut":          {cloud.Request{Method: "DELETE", Path: "/a"}, cut, 1, true},
		"a POST whose answer is broken": {cloud.Request{Method: "POST", Path: "/a", Body: 1}, status(200, "{"), 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, calls, _ := answers(t, c.first, good)
			var out struct{ Name string }
			_, err := client.Do(t.Context(), c.request, &out)
			require.Equal(t, c.calls, calls.Load())
			require.Equal(t, c.ambiguous, cloud.IsAmbiguous(err))
			if !c.ambiguous {
				require.NoError(t, err)
				require.Equal(t, "x", out.Name)
			}
		})
	}
}

func TestWhoIsNotThereHasDoneNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client := cloud.New(cloud.Options{Platform: "Test", BaseURL: server.URL})
	_, err := client.Do(t.Context(), cloud.Request{Method: "POST", Path: "/a"}, nil)
	require.Error(t, err)
	require.False(t, cloud.IsAmbiguous(err))
	var e *cloud.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, contract.Unavailable, e.Failure().Class)
}

func TestWhatCannotBeSentHasDoneNothing(t *testing.T) {
	t.Parallel()
	client := cloud.New(cloud.Options{Platform: "Test", BaseURL: "http://127.0.0.1:1/\x7f"})
	_, err := client.Do(t.Context(), cloud.Request{Method: "POST", Path: "/a"}, nil)
	require.Error(t, err)
	require.False(t, cloud.IsAmbiguous(err))
}

func TestErrorsTellWhatThePlatformSaidAndHideTheToken(t *testing.T) {
	t.Parallel()
	client, _, _ := answers(t, status(422, `{"error":"name is taken by the-token","status":"name_taken"}`, "X-Request-Id", "req-1"))
	_, err := client.Do(t.Context(), cloud.Request{Method: "POST", Path: "/apps"}, nil)
	require.EqualError(t, err, "Test: POST /apps: 422 Unprocessable Entity: name is taken by *** (request req-1)")
	var e *cloud.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "name_taken", e.Code)
	for code, class := range map[int]contract.ErrorClass{
		400: contract.InvalidInput, 401: contract.Denied, 402: contract.Denied, 403: contract.Denied, 404: contract.NotFound, 409: contract.Conflict,
		410: contract.NotFound, 501: contract.Unavailable, 301: contract.InvalidInput,
	} {
		client, _, _ := answers(t, status(code, "{}"))
		_, err := client.Do(t.Context(), cloud.Request{Method: "POST", Path: "/apps"}, nil)
		require.ErrorAs(t, err, &e)
		require.Equal(t, class, e.Failure().Class, code)
		require.True(t, cloud.IsStatus(err, code))
	}
}

func TestRedirectsAreToldAndNotFollowed(t *testing.T) {
	t.Parallel()
	client, calls, _ := answers(t, status(301, `{"message":"Moved Permanently"}`, "Location", "/repositories/7"), status(200, `{}`))
	_, err := client.Do(t.Context(), cloud.Request{Method: "GET", Path: "/repos/a/b"}, nil)
	require.EqualError(t, err, "Test: GET /repos/a/b: 301 Moved Permanently: Moved Permanently; it leads to /repositories/7")
	require.EqualValues(t, 1, calls.Load())
	var e *cloud.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Failure().Hint, "renamed or moved")
}

func TestAllCallsOfATokenWaitAsLongAsThePlatformAsks(t *testing.T) {
	t.Parallel()
	client, calls, g := answers(t, status(429, "", "Retry-After", "1"), status(200, "{}"))
	begin := time.Now()
	_, err := client.Do(t.Context(), cloud.Request{Method: "POST", Path: "/a"}, nil)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begin), 900*time.Millisecond)
	require.EqualValues(t, 2, calls.Load())

	g.Learn(cloud.Limit{}, &http.Response{StatusCode: 200, Header: http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {"1"}}})
	begin = time.Now()
	_, err = client.Do(t.Context(), cloud.Request{Method: "GET", Path: "/b"}, nil)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begin), 900*time.Millisecond, "the last call of a window holds the next one back")
}

func TestGovernorsAreSharedByPlatformAndToken(t *testing.T) {
	t.Parallel()
	var all cloud.Governors
	require.Same(t, all.For("flyio", "a"), all.For("flyio", "a"))
	require.NotSame(t, all.For("flyio", "a"), all.For("flyio", "b"))
	require.NotSame(t, all.For("flyio", "a"), all.For("render", "a"))
}

func TestLimitsSpaceCallsOfOneKey(t *testing.T) {
	t.Parallel()
	g := (&cloud.Governors{}).For("Test", "x")
	limit := cloud.Limit{Key: "create", Every: 200 * time.Millisecond, Burst: 1}
	begin := time.Now()
	for range 3 {
		require.NoError(t, g.Wait(t.Context(), limit))
	}
	require.GreaterOrEqual(t, time.Since(begin), 380*time.Millisecond)
}
