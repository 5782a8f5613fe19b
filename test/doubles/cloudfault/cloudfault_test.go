package cloudfault_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudfault"
)

// counter answers how often it was called.
func counter() (http.Handler, *int) {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Double", "yes")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write(append([]byte("heard "), body...))
	}), &n
}

func serve(t *testing.T) (f *cloudfault.Faults, url string, n *int) {
	t.Helper()
	handler, n := counter()
	f = cloudfault.New(handler)
	s := httptest.NewServer(f)
	t.Cleanup(func() { f.Clear(); s.Close() })
	return f, s.URL, n
}

func post(t *testing.T, url string) (int, string, error) {
	t.Helper()
	response, err := http.Post(url, "text/plain", strings.NewReader("hello"))
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

func TestWithoutFaultsCallsPassAndAreKept(t *testing.T) {
	f, url, _ := serve(t)
	status, body, err := post(t, url+"/a?b=c")
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)
	require.Equal(t, "heard hello", body)
	calls := f.Calls()
	require.Len(t, calls, 1)
	require.Equal(t, cloudfault.Call{Number: 1, Method: "POST", URL: "/a?b=c", Body: "hello", Status: 201, Answer: "heard hello", Done: true}, calls[0])
}

func TestFaultsBefallWhatTheyMatch(t *testing.T) {
	f, url, n := serve(t)
	require.NoError(t, f.Add(cloudfault.Rule{Path: "^/refused", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "3"}, Answer: "slow down"}))
	status, body, err := post(t, url+"/refused")
	require.NoError(t, err)
	require.Equal(t, 429, status)
	require.Equal(t, "slow down", body)
	require.Zero(t, *n, "a refused call is not carried out")
	status, _, err = post(t, url+"/refused")
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status, "the rule is used up")
}

func TestDoneButTheAnswerIsLost(t *testing.T) {
	f, url, n := serve(t)
	require.NoError(t, f.Add(cloudfault.Rule{Mutating: true, Times: 1, Done: true, Reset: true}))
	_, _, err := post(t, url)
	require.Error(t, err)
	require.Equal(t, 1, *n)
	require.True(t, f.Calls()[0].Done)

	require.NoError(t, f.Add(cloudfault.Rule{Skip: 1, Times: 1, Done: true, Status: 408}))
	status, _, err := post(t, url)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status)
	status, _, err = post(t, url)
	require.NoError(t, err)
	require.Equal(t, 408, status)
	require.Equal(t, 3, *n)
}

func TestPauseHoldsUntilTheCallerIsGoneOrReleased(t *testing.T) {
	f, url, n := serve(t)
	require.NoError(t, f.Add(cloudfault.Rule{Call: 1, Pause: true}))
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("x"))
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
		}
		done <- err
	}()
	select {
	case call := <-f.Paused():
		require.Equal(t, 1, call.Number)
		require.True(t, call.Done)
	case <-time.After(10 * time.Second):
		t.Fatal("never paused")
	}
	cancel()
	require.Error(t, <-done)
	require.Equal(t, 1, *n)
	status, _, err := post(t, url)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, status, "only the first call is held")
}

func TestAdminIsStrict(t *testing.T) {
	f, url, _ := serve(t)
	response, err := http.Post(url+"/double/faults", "application/json", strings.NewReader(`{"status":500,"times":1}`))
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	status, _, err := post(t, url)
	require.NoError(t, err)
	require.Equal(t, 500, status)
	for _, bad := range []string{`{"statsu":500}`, `{"path":"("}`} {
		response, err := http.Post(url+"/double/faults", "application/json", strings.NewReader(bad))
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, http.StatusBadRequest, response.StatusCode, bad)
	}
	require.Len(t, f.Calls(), 1, "the faults' own calls are not in the journal")
}
