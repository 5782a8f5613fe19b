package catalog_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func expandIngest(t *testing.T, input string) contract.Ingest {
	t.Helper()
	spec, err := catalog.ExpandStdoutIngest(contract.NewRef(contract.StdoutIngest, "", "app"), json.RawMessage(input))
	require.NoError(t, err)
	return spec
}

func TestIngestOfANameAloneFollowsTheServicesContainers(t *testing.T) {
	spec := expandIngest(t, "")
	require.Equal(t, &contract.LogContainers{Service: "app"}, spec.Containers)
	require.Nil(t, spec.Files)
	require.Nil(t, spec.Grafana)
	require.Equal(t, "http://localhost:4318", spec.Endpoint)
	require.Equal(t, []any{1000, 1.0, 10.0, contract.StartAtBeginning}, []any{spec.BatchSize, spec.FlushInterval, spec.Timeout, spec.StartAt})
	require.Nil(t, expandIngest(t, `{"files":{"include":["/a/*.log"]}}`).Containers, "files alone are files alone")
}

func TestIngestEndpointIsABase(t *testing.T) {
	for _, endpoint := range []string{"http://c:4318", "http://c:4318/", "http://c:4318/v1/logs"} {
		require.Equal(t, "http://c:4318", expandIngest(t, fmt.Sprintf(`{"endpoint":%q}`, endpoint)).Endpoint)
	}
}

func TestIngestShowsLokiOfTheLogsPipelineInItsGrafana(t *testing.T) {
	input := `{"grafana":{"url":"http://127.0.0.1:3000/","pipeline_id":"orch/orch/logs/other"}}`
	spec := expandIngest(t, input)
	var source map[string]any
	require.NoError(t, json.Unmarshal(spec.Grafana.Datasource, &source))
	require.Equal(t, "http://loki:3100", source["url"])
	require.Equal(t, "orch-stdout-app", source["uid"])
	require.Equal(t, "http://127.0.0.1:3000", spec.Grafana.URL)
	require.Equal(t, "other", spec.Grafana.Password.Ref.Service)
	var in catalog.StdoutIngestInput
	require.NoError(t, json.Unmarshal([]byte(input), &in))
	require.Equal(t, "orch-stdout-app", in.DatasourceUID(spec.Ref))
	require.Contains(t, in.Steps(), catalog.StepLokiDatasource)
	require.NotContains(t, catalog.StdoutIngestInput{}.Steps(), catalog.StepLokiDatasource)
}

func TestIngestOpensAGrafanaThatNoPipelineOwnsByAToken(t *testing.T) {
	spec := expandIngest(t, `{"grafana":{"url":"https://g","token":{"env":"ORCH_SECRET_GRAFANA"},"loki_url":"http://loki.example.com:3100"}}`)
	require.Equal(t, &contract.SecretSource{Env: "ORCH_SECRET_GRAFANA"}, spec.Grafana.TokenSource)
	require.Nil(t, spec.Grafana.Password)
	require.Empty(t, spec.Grafana.User)
}

func TestIngestDigestIsAboutWhatTheTailDoes(t *testing.T) {
	base := expandIngest(t, `{}`)
	same := expandIngest(t, `{"grafana":{"url":"http://g:3000","pipeline_id":"orch/orch/logs/app"}}`)
	same.EngineID = "engine"
	require.Equal(t, base.Digest(), same.Digest())
	for _, other := range []string{`{"labels":{"a":"b"}}`, `{"batch_size":5}`, `{"start_at":"end"}`, `{"containers":{"names":["x"]}}`} {
		require.NotEqual(t, base.Digest(), expandIngest(t, other).Digest(), other)
	}
}

func TestIngestHeadersAreValuesOrReferences(t *testing.T) {
	spec := expandIngest(t, `{"headers":{"X-Scope-OrgID":{"value":"team"},"Authorization":{"env":"ORCH_SECRET_OTLP"},"Cookie":{"file":"/run/cookie"}}}`)
	require.Equal(t, map[string]contract.IngestHeader{
		"X-Scope-OrgID": {Value: "team"}, "Authorization": {Secret: &contract.SecretSource{Env: "ORCH_SECRET_OTLP"}},
		"Cookie": {Secret: &contract.SecretSource{File: "/run/cookie"}},
	}, spec.Headers)
	require.NotEqual(t, expandIngest(t, `{}`).Digest(), spec.Digest())
	require.Empty(t, catalog.StdoutIngestInput{Files: &catalog.LogFilesInput{Include: []string{"/a"}, Exclude: []string{"/a/b", "*.gz", "**/old/*"}}}.Validate())
}

func TestIngestRefusesWhatCannotWork(t *testing.T) {
	for input, attribute := range map[string]string{
		`{"files":{"include":[]}}`:                              "files.include",
		`{"files":{"include":["relative"]}}`:                    "files.include",
		`{"files":{"include":["/a/{b"]}}`:                       "files.include",
		`{"files":{"include":["/a"],"exclude":["[x"]}}`:         "files.exclude",
		`{"files":{"include":["/a"],"max_depth":0}}`:            "files.max_depth",
		`{"files":{"include":["/a"],"exclude":["old/*.log"]}}`:  "files.exclude",
		`{"files":{"include":["/a"],"exclude":[""]}}`:           "files.exclude",
		`{"containers":{"names":["{a,b}"]}}`:                    "containers.names",
		`{"endpoint":"http://user:hunter2@c:4318"}`:             "endpoint",
		`{"endpoint":"http://c:4318?tenant=a"}`:                 "endpoint",
		`{"headers":{"a b":{"value":"c"}}}`:                     "headers",
		`{"headers":{"X-A":{}}}`:                                "headers",
		`{"headers":{"X-A":{"value":"b","env":"C"}}}`:           "headers",
		`{"headers":{"X-A":{"value":"b\nc"}}}`:                  "headers",
		`{"headers":{"content-type":{"value":"b"}}}`:            "headers",
		`{"headers":{"X-A":{"value":"b"},"x-a":{"value":"c"}}}`: "headers",
		`{"headers":{"authorization":{"value":"Bearer x"}}}`:    "headers",
		`{"headers":{"X-Api-Key":{"value":"x"}}}`:               "headers",
		`{"headers":{"X-A":{"env":"a b"}}}`:                     "headers",
		`{"headers":{"X-A":{"file":"token"}}}`:                  "headers",
		`{"containers":{}}`:                                     "containers",
		`{"containers":{"names":["a/b"]}}`:                      "containers.names",
		`{"labels":{"a b":"c"}}`:                                "labels",
		`{"labels":{"host.name":"c"}}`:                          "labels",
		`{"labels":{"a":""}}`:                                   "labels",
		`{"endpoint":"collector:4318"}`:                         "endpoint",
		`{"batch_size":10001}`:                                  "batch_size",
		`{"flush_interval_seconds":0}`:                          "flush_interval_seconds",
		`{"timeout_seconds":301}`:                               "timeout_seconds",
		`{"start_at":"middle"}`:                                 "start_at",
		`{"grafana":{}}`:                                        "grafana.url",
		`{"grafana":{"url":"http://g"}}`:                        "grafana.pipeline_id",
		`{"grafana":{"url":"http://g","pipeline_id":"orch/orch/logs/a","token":{"env":"A"}}}`: "grafana.pipeline_id",
		`{"grafana":{"url":"http://g","token":{"env":"A"}}}`:                                  "grafana.loki_url",
		`{"grafana":{"url":"http://g","token":{}}}`:                                           "grafana.token",
		`{"grafana":{"url":"http://g","token":{"file":"a"}}}`:                                 "grafana.token.file",
		`{"grafana":{"url":"http://g","token":{"env":"A"},"admin_user":"b"}}`:                 "grafana.admin_user",
		`{"grafana":{"url":"http://g","pipeline_id":"x"}}`:                                    "grafana.pipeline_id",
		`{"grafana":{"url":"http://g","pipeline_id":"orch/orch/metrics/app"}}`:                "grafana.loki_url",
	} {
		_, err := catalog.ExpandStdoutIngest(contract.NewRef(contract.StdoutIngest, "", "app"), json.RawMessage(input))
		var failure *contract.StepFailure
		require.ErrorAs(t, err, &failure, input)
		require.Equal(t, contract.InvalidInput, failure.Class)
		require.Equal(t, attribute, failure.Attribute, input)
		require.NotContains(t, failure.Cause, "hunter2")
	}
	labels := map[string]string{}
	for n := range 13 {
		labels[fmt.Sprintf("label%d", n)] = "x"
	}
	require.Len(t, catalog.StdoutIngestInput{Labels: labels}.Validate(), 1)
	delete(labels, "label0")
	require.Empty(t, catalog.StdoutIngestInput{Labels: labels}.Validate())
}
