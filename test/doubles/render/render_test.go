package render

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(t *testing.T, s *Server, method, path, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer good")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	data, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(data)
}

func double() *Server {
	return New(Config{Token: "good", Owners: []Owner{{ID: "tea-1", Name: "acme", Type: "team"}}, Creates: 2}, slog.New(slog.DiscardHandler))
}

const create = `{"type":"web_service","name":"NAME","ownerId":"tea-1","image":{"ownerId":"tea-1","imagePath":"a/b:1"},"serviceDetails":{"runtime":"image"}}`

func TestWhatNobodyExpectsIsRefusedAndCounted(t *testing.T) {
	for _, c := range []struct{ method, path, body, want string }{
		{http.MethodGet, "/v1/postgres", "", "no such route"},
		{http.MethodPost, "/v1/blueprints", "{}", "no such route"},
		{http.MethodGet, "/v1/services?nome=x", "", "unknown parameter nome"},
		{http.MethodPost, "/v1/services", `{"nome":"x"}`, "unknown field"},
		{http.MethodPost, "/v1/services", strings.Replace(create, "web_service", "cron_job", 1), "web services only"},
		{http.MethodGet, "/v1/services?limit=101", "", "limit is 1 to 100"},
	} {
		s := double()
		status, body := ask(t, s, c.method, c.path, c.body)
		if status < 400 || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s, want %q", c.method, c.path, status, body, c.want)
		}
		if len(s.Unknown()) != 1 {
			t.Errorf("%s %s: not in the ledger", c.method, c.path)
		}
	}
	s := double()
	s.cfg.Token = "other"
	if status, _ := ask(t, s, http.MethodGet, "/v1/owners", ""); status != http.StatusUnauthorized {
		t.Errorf("a wrong token: %d", status)
	}
}

func TestADeployGoesOnWithEachLookAndTheBudgetEnds(t *testing.T) {
	s := double()
	named := func(name string) string { return strings.Replace(create, "NAME", name, 1) }
	if status, body := ask(t, s, http.MethodPost, "/v1/services", named("one")); status != http.StatusCreated {
		t.Fatal(status, body)
	}
	id := s.order[0]
	deploy := s.services[id].deploys[0].ID
	for _, want := range []string{"update_in_progress", "live", "live"} {
		if _, body := ask(t, s, http.MethodGet, "/v1/services/"+id+"/deploys/"+deploy, ""); !strings.Contains(body, `"status":"`+want+`"`) {
			t.Errorf("%s, want %s", body, want)
		}
	}
	if status, _ := ask(t, s, http.MethodGet, "/double/apps/one/", ""); status != http.StatusOK {
		t.Errorf("the application answers %d", status)
	}
	if status, _ := ask(t, s, http.MethodPost, "/v1/services", named("one")); status != http.StatusConflict {
		t.Errorf("a taken name: %d", status)
	}
	if status, _ := ask(t, s, http.MethodPost, "/v1/services", named("two")); status != http.StatusTooManyRequests {
		t.Errorf("a spent budget: %d", status)
	}
	if status, _ := ask(t, s, http.MethodDelete, "/v1/services/"+id, ""); status != http.StatusNoContent {
		t.Errorf("delete: %d", status)
	}
	if status, _ := ask(t, s, http.MethodGet, "/v1/services/"+id, ""); status != http.StatusGone {
		t.Errorf("after delete: %d", status)
	}
}
