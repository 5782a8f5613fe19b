package railway_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/railway"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// answering serves one answer and keeps the last request.
func answering(t *testing.T, status int, header http.Header, body string) (url string, last func() (*http.Request, string)) {
	t.Helper()
	var request *http.Request
	var sent string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		request, sent = r, string(data)
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() (*http.Request, string) { return request, sent }
}

func refusal(message string) string {
	data, _ := json.Marshal(map[string]any{"data": nil, "errors": []any{map[string]any{
		"message": message, "path": []string{"x"}, "extensions": map[string]any{"code": "INTERNAL_SERVER_ERROR"}, "traceId": "trace-1",
	}}})
	return string(data)
}

func TestMessagesAreWhatCounts(t *testing.T) {
	for message, want := range map[string]contract.ErrorClass{
		"Not Authorized":          contract.Denied,
		"Project Token not found": contract.Denied,
		`A service named "x" already exists in this project`: contract.Conflict,
		"Project not found":                     contract.NotFound,
		"ServiceInstance not found":             contract.NotFound,
		"You are creating projects too quickly": contract.Unavailable,
		"Failed to create service domain":       contract.NotFound,
		"Commit not found":                      contract.InvalidInput,
		"Invalid region":                        contract.InvalidInput,
		"Problem processing request":            contract.Unavailable,
	} {
		url, _ := answering(t, http.StatusOK, nil, refusal(message))
		_, err := railway.New(url, "the-token", false, nil).CreateProject(t.Context(), railway.ProjectCreate{Name: "x"})
		var failed *cloud.Error
		require.ErrorAs(t, err, &failed, message)
		require.Equal(t, want, failed.Failure().Class, message)
		require.Equal(t, message == "Problem processing request", failed.Ambiguous, message)
		require.Contains(t, err.Error(), message)
		require.Contains(t, err.Error(), "projectCreate")
		require.NotContains(t, err.Error(), "200 OK", "a refusal does not say the opposite")
		require.Contains(t, err.Error(), "trace-1")
	}
}

func TestEachKindOfTokenHasItsHeader(t *testing.T) {
	url, last := answering(t, http.StatusOK, nil, `{"data":{"apiToken":{"workspaces":[]},"projectToken":{"projectId":"p","environmentId":"e"}}}`)
	_, err := railway.New(url, "the-token", false, nil).Workspaces(t.Context())
	require.NoError(t, err)
	request, _ := last()
	require.Equal(t, "Bearer the-token", request.Header.Get("Authorization"))
	require.Empty(t, request.Header.Get("Project-Access-Token"))
	require.Equal(t, "/graphql/v2?source=terraform-provider-orch", request.URL.RequestURI(), "the edge refuses requests without a query string")
	at, err := railway.New(url, "the-token", true, nil).TokenProject(t.Context())
	require.NoError(t, err)
	require.Equal(t, railway.Instance{ProjectID: "p", EnvironmentID: "e"}, at)
	request, _ = last()
	require.Equal(t, "the-token", request.Header.Get("Project-Access-Token"))
	require.Empty(t, request.Header.Get("Authorization"))
}

func TestTheEdgesAnswerIsNoJSON(t *testing.T) {
	url, _ := answering(t, http.StatusTooManyRequests, http.Header{"Retry-After": {"600"}}, "error code: 1015")
	err := railway.New(url, "the-token", false, nil).DeleteProject(t.Context(), "p")
	var failed *cloud.Error
	require.ErrorAs(t, err, &failed)
	require.Equal(t, contract.Unavailable, failed.Failure().Class)
	require.Contains(t, err.Error(), "error code: 1015")
	require.False(t, failed.Ambiguous)
}

func TestLostAnswersOfMutationsAreAmbiguous(t *testing.T) {
	for status, ambiguous := range map[int]bool{http.StatusBadGateway: true, http.StatusRequestTimeout: true, http.StatusBadRequest: false} {
		url, _ := answering(t, status, nil, `{"errors":[{"message":"no"}]}`)
		_, err := railway.New(url, "the-token", false, nil).Deploy(t.Context(), railway.Instance{})
		require.Equal(t, ambiguous, cloud.IsAmbiguous(err), status)
	}
	url, _ := answering(t, http.StatusOK, nil, `{"data":null}`)
	_, err := railway.New(url, "the-token", false, nil).Deploy(t.Context(), railway.Instance{})
	require.Error(t, err, "no data is no deployment")
	url, _ = answering(t, http.StatusOK, nil, `{"data":{"projectDelete":false}}`)
	require.ErrorContains(t, railway.New(url, "the-token", false, nil).DeleteProject(t.Context(), "p"), "not done")
}

func TestListsArePaged(t *testing.T) {
	asked := []any{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Variables map[string]any }
		_ = json.NewDecoder(r.Body).Decode(&body)
		asked = append(asked, body.Variables["after"])
		if body.Variables["after"] == nil {
			_, _ = io.WriteString(w, `{"data":{"projects":{"edges":[{"node":{"id":"1"}},{"node":{"id":"2","deletedAt":"2026-01-01T00:00:00Z"}}],"pageInfo":{"hasNextPage":true,"endCursor":"c"}}}}`)
			return
		}
		_, _ = io.WriteString(w, `{"data":{"projects":{"edges":[{"node":{"id":"3"}}],"pageInfo":{"hasNextPage":false,"endCursor":"d"}}}}`)
	}))
	defer s.Close()
	projects, err := railway.New(s.URL, "the-token", false, nil).Projects(t.Context(), "w")
	require.NoError(t, err)
	require.Equal(t, []any{nil, "c"}, asked)
	require.Len(t, projects, 2, "what is deleted is still listed for two days, and is not there")
	require.Equal(t, "3", projects[1].ID)
}
