package grafana

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

const prometheusJSON = `{"name":"Prometheus","uid":"orch-prom","type":"prometheus","access":"proxy","url":"BACKEND",
 "jsonData":{"httpMethod":"POST","timeInterval":"15s","exemplarTraceIdDestinations":[{"name":"trace_id","datasourceUid":"orch-jaeger"}]}}`

const jaegerJSON = `{"name":"Jaeger","uid":"orch-jaeger","type":"jaeger","access":"proxy","url":"BACKEND","jsonData":{"nodeGraph":{"enabled":true},
 "tracesToLogsV2":{"datasourceUid":"orch-loki","spanStartTimeShift":"-5m","spanEndTimeShift":"5m","tags":[{"key":"service.name","value":"service_name"}],
 "customQuery":true,"query":"{${__tags}} | trace_id=\"${__trace.traceId}\""}}}`

func (i *instance) body(text string) string {
	return strings.Replace(text, "BACKEND", i.backend.URL, 1)
}

func TestDatasourcesOverTheAPI(t *testing.T) {
	i := newInstance(t).mustStart()
	const at = "/api/datasources/uid/orch-prom"
	i.expect("GET", at, right, "", 404, "Data source not found")
	i.expect("PUT", at, right, i.body(prometheusJSON), 404, "Data source not found")
	i.expect("POST", "/api/datasources", right, i.body(prometheusJSON), 200, `"message":"Datasource added"`)
	i.expect("POST", "/api/datasources", right, i.body(prometheusJSON), 409, "same name already exists")
	i.expect("POST", "/api/datasources", right, strings.Replace(i.body(prometheusJSON), `"Prometheus"`, `"Other"`, 1), 409, "same uid already exists")
	i.expect("GET", at, right, "", 200, `"readOnly":false`)
	i.expect("GET", at+"/health", right, "", 200, `"status":"OK"`)
	i.expect("POST", "/api/datasources/proxy/uid/orch-prom/api/v1/query", right, "query=up", 200, `"path":"/api/v1/query"`)
	i.expect("POST", "/api/datasources/proxy/uid/orch-prom/api/v1/admin/tsdb/delete_series", right, "", 403, "")

	// What a GET gave may be sent back; an old version of it may not.
	_, mine := i.do("GET", at, right, "")
	i.expect("PUT", at, right, mine, 200, `"message":"Datasource updated"`)
	i.expect("PUT", at, right, mine, 409, "already been updated by someone else")
	i.expect("PUT", at, right, strings.Replace(i.body(prometheusJSON), "15s", "30s", 1), 200, `"version":3`)
	i.expect("PUT", at, right, strings.Replace(i.body(prometheusJSON), `"Prometheus"`, `"Loki"`, 1), 409, "same name")
	i.expect("PUT", at, right, strings.Replace(i.body(prometheusJSON), "httpMethod", "httpMetod", 1), 400, "httpMetod")

	i.mustStart()
	i.expect("GET", at, right, "", 200, `"timeInterval":"30s"`)
	i.expect("DELETE", at, right, "", 200, "Data source deleted")
	i.expect("DELETE", at, right, "", 404, "Data source not found")
}

func TestObjectsOfFilesAreReadOnlyOverTheAPI(t *testing.T) {
	i := newInstance(t).mustStart()
	_, provisioned := i.do("GET", "/api/datasources/uid/orch-loki", right, "")
	i.expect("PUT", "/api/datasources/uid/orch-loki", right, provisioned, 403, "Cannot update read-only data source")
	i.expect("DELETE", "/api/datasources/uid/orch-loki", right, "", 403, "Cannot delete read-only data source")
	i.expect("POST", "/api/dashboards/db", right, `{"overwrite":true,"dashboard":`+dashboardJSON+`}`, 400, "Cannot save provisioned dashboard")
	i.expect("DELETE", "/api/dashboards/uid/orch-logs", right, "", 400, "provisioned dashboard cannot be deleted")
	i.expect("GET", "/api/folders/orch", right, "", 200, `"title":"Orch"`)
	i.expect("DELETE", "/api/folders/orch", right, "", 400, "provisioned dashboard")
}

func TestFoldersAndDashboardsOverTheAPI(t *testing.T) {
	i := newInstance(t).mustStart()
	mine := strings.Replace(dashboardJSON, `"uid":"orch-logs"`, `"uid":"mine"`, 1)
	i.expect("GET", "/api/folders/team", right, "", 404, `"status":"not-found"`)
	i.expect("POST", "/api/dashboards/db", right, `{"folderUid":"team","dashboard":`+mine+`}`, 400, "folder not found")
	i.expect("POST", "/api/folders", right, `{"uid":"team","title":""}`, 400, "title cannot be empty")
	i.expect("POST", "/api/folders", right, `{"uid":"team","title":"Team"}`, 200, `"url":"/dashboards/f/team/team"`)
	i.expect("POST", "/api/folders", right, `{"uid":"team","title":"Team"}`, 409, "already exists")
	i.expect("POST", "/api/dashboards/db", right, `{"folderUid":"team","dashboard":`+mine+`}`, 200, `"status":"success"`)
	i.expect("POST", "/api/dashboards/db", right, `{"folderUid":"team","dashboard":`+mine+`}`, 412, `"status":"version-mismatch"`)
	i.expect("POST", "/api/dashboards/db", right, `{"folderUid":"team","overwrite":true,"dashboard":`+mine+`}`, 200, `"version":2`)
	i.expect("POST", "/api/dashboards/db", right, `{"dashboard":`+strings.Replace(mine, "orch-loki", "orch-x", 1)+`}`, 400, "does not exist")

	i.mustStart()
	i.expect("GET", "/api/dashboards/uid/mine", right, "", 200, `"folderTitle":"Team"`)
	i.expect("GET", "/api/dashboards/uid/mine", right, "", 200, `"provisioned":false`)
	i.expect("GET", "/api/search?type=dash-db&folderUIDs=team", right, "", 200, `"uid":"mine"`)
	i.expect("GET", "/api/search?type=dash-folder", right, "", 200, `"uid":"team"`)
	i.expect("GET", "/api/search?folderUIDs=team", right, "", 200, `"uid":"mine"`)
	i.expect("PUT", "/api/folders/team", right, `{"title":"Crew"}`, 412, "changed by someone else")
	i.expect("PUT", "/api/folders/team", right, `{"title":"Crew","overwrite":true}`, 200, `"title":"Crew"`)
	i.expect("PUT", "/api/folders/team", right, `{"title":"Team","overwrite":true}`, 200, `"title":"Team"`)
	i.expect("PUT", "/api/folders/none", right, `{"title":"X","overwrite":true}`, 404, "folder not found")
	if _, body := i.do("GET", "/api/search?type=dash-db&folderUIDs=team", right, ""); strings.Contains(body, "orch-logs") {
		t.Errorf("a foreign dashboard is in the folder: %s", body)
	}
	i.expect("DELETE", "/api/dashboards/uid/mine", right, "", 200, "deleted")
	i.expect("DELETE", "/api/dashboards/uid/mine", right, "", 404, "Dashboard not found")
	i.expect("POST", "/api/dashboards/db", right, `{"folderUid":"team","dashboard":`+mine+`}`, 200, "")
	i.expect("DELETE", "/api/folders/team", right, "", 200, "Folder Team deleted")
	i.expect("GET", "/api/dashboards/uid/mine", right, "", 404, "")
	i.expect("DELETE", "/api/folders/team", right, "", 404, "folder not found")
}

func TestADashboardHasOneOwner(t *testing.T) {
	i := newInstance(t).mustStart()
	i.expect("POST", "/api/dashboards/db", right, `{"dashboard":`+strings.Replace(dashboardJSON, "orch-logs", "mine", 1)+`}`, 200, "")
	i.write(filepath.Join(i.boards, "mine.json"), strings.Replace(dashboardJSON, "orch-logs", "mine", 1))
	i.expect("POST", "/api/admin/provisioning/dashboards/reload", right, "", 500, "one owner")
}

func TestServiceAccountTokensActWithTheirRole(t *testing.T) {
	i := newInstance(t).mustStart()
	bearer := func(method, target, key, body string) int {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		i.server.ServeHTTP(w, r)
		return w.Code
	}
	keys := map[string]string{}
	for _, role := range []string{"Viewer", "Editor", "Admin"} {
		status, body := i.do("POST", "/api/serviceaccounts", right, `{"name":"orch-`+role+`","role":"`+role+`"}`)
		var made struct {
			ID  json.Number `json:"id"`
			Key string      `json:"key"`
		}
		if err := json.Unmarshal([]byte(body), &made); err != nil || status != http.StatusCreated {
			t.Fatalf("%d %s", status, body)
		}
		tokens := "/api/serviceaccounts/" + made.ID.String() + "/tokens"
		_, body = i.do("POST", tokens, right, `{"name":"key-`+role+`","secondsToLive":60}`)
		if err := json.Unmarshal([]byte(body), &made); err != nil || !strings.HasPrefix(made.Key, tokenPrefix) {
			t.Fatal(body)
		}
		keys[role] = made.Key
		i.expect("POST", tokens, right, `{"name":"key-`+role+`"}`, 400, "already exists")
	}
	i.expect("POST", "/api/serviceaccounts", right, `{"name":"orch-Admin","role":"Admin"}`, 400, "already exists")
	i.expect("GET", "/api/serviceaccounts/search?query=orch-ed", right, "", 200, `"totalCount":1`)
	i.mustStart()
	tests := []struct {
		role, method, target, body string
		want                       int
	}{
		{"Viewer", "GET", "/api/org", "", 200},
		{"Viewer", "POST", "/api/folders", `{"uid":"v","title":"V"}`, 403},
		{"Editor", "POST", "/api/folders", `{"uid":"e","title":"E"}`, 200},
		{"Editor", "POST", "/api/datasources", i.body(prometheusJSON), 403},
		{"Admin", "POST", "/api/datasources", i.body(prometheusJSON), 200},
		{"Admin", "POST", "/api/admin/provisioning/datasources/reload", "", 403},
	}
	for _, tt := range tests {
		if got := bearer(tt.method, tt.target, keys[tt.role], tt.body); got != tt.want {
			t.Errorf("%s %s as %s: %d, want %d", tt.method, tt.target, tt.role, got, tt.want)
		}
	}
	if got := bearer("GET", "/api/org", tokenPrefix+"wrong", ""); got != http.StatusUnauthorized {
		t.Errorf("a wrong token gave %d", got)
	}
	i.expect("DELETE", "/api/serviceaccounts/4711", right, "", 404, "not found")
	_, body := i.do("GET", "/api/serviceaccounts/search?query=Admin", right, "")
	var found struct {
		Accounts []struct {
			ID json.Number `json:"id"`
		} `json:"serviceAccounts"`
	}
	if err := json.Unmarshal([]byte(body), &found); err != nil || len(found.Accounts) != 1 {
		t.Fatal(body)
	}
	i.expect("DELETE", "/api/serviceaccounts/"+found.Accounts[0].ID.String(), right, "", 200, "deleted")
	if got := bearer("GET", "/api/org", keys["Admin"], ""); got != http.StatusUnauthorized {
		t.Errorf("the token of a deleted account gave %d", got)
	}
}

func TestLinksMustLeadSomewhere(t *testing.T) {
	i := newInstance(t).mustStart()
	i.expect("GET", "/double/links", right, "", 409, `"problem":"no data source has this uid"`)
	i.expect("POST", "/api/datasources", right, i.body(jaegerJSON), 200, "")
	i.expect("POST", "/api/datasources", right, i.body(prometheusJSON), 200, "")
	i.expect("GET", "/double/links", right, "", 200, `{"from":"orch-loki","field":"derivedFields[0]","to":"orch-jaeger"}`)
	i.expect("GET", "/double/links", right, "", 200, `{"from":"orch-jaeger","field":"tracesToLogsV2","to":"orch-loki"}`)
	i.expect("PUT", "/api/datasources/uid/orch-jaeger", right, strings.Replace(i.body(jaegerJSON), "orch-loki", "orch-prom", 1), 200, "")
	i.expect("GET", "/double/links", right, "", 409, "is of type prometheus, want loki")
}

func TestTheOwnersMarkOfADatasourceIsKept(t *testing.T) {
	i := newInstance(t).mustStart()
	body := `{"name":"Prometheus x","uid":"x","type":"prometheus","access":"proxy","url":"http://prometheus:9090","jsonData":{"orchOwner":"orch:x"}}`
	i.expect("POST", "/api/datasources", right, body, 200, "")
	i.expect("GET", "/api/datasources/uid/x", right, "", 200, `"orchOwner":"orch:x"`)
}
