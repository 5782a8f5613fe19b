package railway_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/railway"
)

// ask sends a body as it is and returns the status and the first error's message.
func ask(t *testing.T, s *railway.Server, header, body string) (int, string) {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, railway.Path+"?source=test", strings.NewReader(body))
	if name, value, ok := strings.Cut(header, ": "); ok {
		request.Header.Set(name, value)
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	var out struct{ Errors []struct{ Message string } }
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &out), answer.Body.String())
	if len(out.Errors) == 0 {
		return answer.Code, ""
	}
	return answer.Code, out.Errors[0].Message
}

const account = "Authorization: Bearer t"

func TestDoubleFailsOnWhatItDoesNotKnow(t *testing.T) {
	for body, want := range map[string]string{
		`{"query":"query { me { id } }"}`:                                                                                                "Cannot query field me",
		`{"query":"query { apiToken { workspaces { id plan } } }"}`:                                                                      `Cannot query field "plan"`,
		`{"query":"query { apiToken }"}`:                                                                                                 "must have a selection",
		`{"query":"query { apiToken { workspaces { id { x } } } }"}`:                                                                     "must not have a selection",
		`{"query":"query { apiToken(id: \"x\") { workspaces { id } } }"}`:                                                                `Unknown argument "id"`,
		`{"query":"mutation { apiToken { workspaces { id } } }"}`:                                                                        "Cannot query field",
		`{"query":"query ($x: Int) { apiToken { workspaces { id } } }"}`:                                                                 "never used",
		`{"query":"query { apiToken { workspaces { id } } }","variables":{"x":1}}`:                                                       "not declared",
		`{"query":"query {","variables":{}}`:                                                                                             "Syntax Error",
		`{"query":"query { apiToken { workspaces { id } } }","extra":1}`:                                                                 "unknown field",
		`{"query":"mutation ($id: String!) { projectDelete(id: $id) }"}`:                                                                 "was not provided",
		`{"query":"mutation ($id: Int) { projectDelete(id: $id) }","variables":{}}`:                                                      "expecting type",
		`{"query":"mutation { projectDelete }"}`:                                                                                         "was not provided",
		`{"query":"mutation ($i: ProjectCreateInput!) { projectCreate(input: $i) { id } }","variables":{"i":{"tilte":"x"}}}`:             "unknown field",
		`{"query":"mutation ($i: EnvironmentCreateInput!) { environmentCreate(input: $i) { id } }","variables":{"i":{"projectId":"p"}}}`: `"name" of required type`,
		`{"query":"mutation ($i: ServiceInstanceUpdateInput!) { serviceInstanceUpdate(serviceId: \"s\", input: $i) }","variables":{"i":{"restartPolicyType":"X"}}}`: "enum",
	} {
		s := railway.New(railway.Config{Token: "t"}, slog.New(slog.DiscardHandler))
		status, message := ask(t, s, account, body)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Contains(t, message, want, body)
		require.Len(t, s.Unknown(), 1, body)
		require.Empty(t, s.Projects(), "a bad request changes nothing")
	}
}

func TestDoubleKnowsWhoAsks(t *testing.T) {
	s := railway.New(railway.Config{Token: "t", ProjectTokens: map[string]railway.ProjectToken{"p": {ProjectID: "1", EnvironmentID: "2"}}}, slog.New(slog.DiscardHandler))
	const workspaces, project = `{"query":"query { apiToken { workspaces { id } } }"}`, `{"query":"query { projectToken { projectId } }"}`
	for _, c := range []struct{ header, body, want string }{
		{account, workspaces, ""},
		{"", workspaces, "Not Authorized"},
		{"Authorization: Bearer p", workspaces, "Not Authorized"},
		{"Project-Access-Token: p", workspaces, "Not Authorized"},
		{"Project-Access-Token: p", project, ""},
		{"Project-Access-Token: t", project, "Project Token not found"},
		{account, project, "Project Token not found"},
	} {
		status, message := ask(t, s, c.header, c.body)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, c.want, message, "%s %s", c.header, c.body)
	}
}

func TestDoubleWantsAQueryString(t *testing.T) {
	s := railway.New(railway.Config{Token: "t"}, slog.New(slog.DiscardHandler))
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, railway.Path, strings.NewReader(`{}`)))
	require.Equal(t, http.StatusTooManyRequests, answer.Code)
	require.Equal(t, "error code: 1015", answer.Body.String())
}
