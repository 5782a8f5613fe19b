package catalog_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What a pipeline consists of with all defaults is a golden file, so that a reviewer sees every change of it.
func TestStacksMatchTheirGoldenFiles(t *testing.T) {
	for _, entry := range catalog.All() {
		t.Run(entry.Kind.Name, func(t *testing.T) {
			ref := contract.NewRef(entry.Kind, "", "app")
			stack, err := entry.Expand(ref, entry.Minimal)
			require.NoError(t, err)
			data, err := json.MarshalIndent(stack, "", "  ")
			require.NoError(t, err)
			compare(t, entry.Kind.Name+".stack.json", string(data)+"\n")
			var files strings.Builder
			for _, c := range stack.Components {
				for _, f := range c.Files {
					files.WriteString("=== " + c.Name + ":" + f.Path + "\n" + f.Content)
				}
			}
			compare(t, entry.Kind.Name+".files.txt", files.String())
			compare(t, entry.Kind.Name+".steps.txt", strings.Join(stack.Steps(), "\n")+"\n"+entry.Message+"\n")
		})
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run: go test ./internal/catalog -update")
	require.Equal(t, string(want), got, "if this is wanted, run: go test ./internal/catalog -update")
}

func TestInjectedYAMLAndJSONParse(t *testing.T) {
	for _, entry := range catalog.All() {
		stack, err := entry.Expand(contract.NewRef(entry.Kind, "", "app"), entry.Minimal)
		require.NoError(t, err)
		for _, c := range stack.Components {
			for _, f := range c.Files {
				var parsed any
				require.NoError(t, yaml.Unmarshal([]byte(f.Content), &parsed), f.Path)
			}
		}
	}
}

// A dashboard panel that asks a datasource which is not provisioned shows nothing.
func TestDashboardsUseProvisionedDatasources(t *testing.T) {
	uid := regexp.MustCompile(`"datasource": \{"type": "[a-z]+", "uid": "([^"]+)"\}`)
	for _, entry := range catalog.All() {
		stack, err := entry.Expand(contract.NewRef(entry.Kind, "", "app"), entry.Minimal)
		require.NoError(t, err)
		grafana, ok := stack.Component(catalog.GrafanaName)
		if !ok {
			require.Contains(t, []contract.Kind{contract.DatabasePipeline, contract.ContainerService, contract.ChatService, contract.ContainerLogsIngest, contract.OTLPIngest},
				entry.Kind, "only these are not shown in Grafana")
			continue
		}
		var provisioned, dashboards string
		for _, f := range grafana.Files {
			if strings.Contains(f.Path, "/datasources/") {
				provisioned += f.Content
			}
			if strings.HasSuffix(f.Path, ".json") {
				dashboards += f.Content
			}
		}
		used := uid.FindAllStringSubmatch(dashboards, -1)
		require.NotEmpty(t, used)
		for _, match := range used {
			require.Contains(t, provisioned, `"uid": "`+match[1]+`"`)
		}
	}
}

// Import by name stands on this: what the components' labels hold is the whole input again, and only that.
func TestPartsOfTheInputAddUpToTheInput(t *testing.T) {
	port, image := int64(3111), "example.com/loki:1"
	in := catalog.LogsPipelineInput{
		Shared: catalog.Shared{Labels: map[string]string{"team": "a"}},
		Loki:   &catalog.LokiInput{Port: &port, Container: catalog.Container{Image: &image}},
	}
	stack, err := catalog.LogsPipeline.Stack(contract.NewRef(contract.LogsPipeline, "", "app"), in)
	require.NoError(t, err)
	whole := map[string]json.RawMessage{}
	for _, c := range stack.Components {
		part := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal(c.Input, &part))
		for key, value := range part {
			whole[key] = value
		}
	}
	got, err := json.Marshal(whole)
	require.NoError(t, err)
	require.JSONEq(t, `{"labels":{"team":"a"},"loki":{"port":3111,"image":"example.com/loki:1"}}`, string(got))
}

// What can change in a running container must not make another one, and import must find it all the same.
func TestLiveAttributesAreKeptOutOfTheHash(t *testing.T) {
	expand := func(input string) contract.Component {
		stack, err := catalog.MetricsPipeline.Entry().Expand(contract.NewRef(contract.MetricsPipeline, "", "app"), json.RawMessage(input))
		require.NoError(t, err)
		return stack.Components[0]
	}
	a := expand(`{"prometheus":{"port":9091,"scrape_targets":[{"targets":["a:1"],"labels":null}]}}`)
	b := expand(`{"prometheus":{"port":9091,"scrape_targets":[{"targets":["b:2"],"labels":{"job":"b"}}]}}`)
	require.Equal(t, a.ConfigHash(), b.ConfigHash())
	require.NotContains(t, string(a.Input), "scrape_targets")
	require.JSONEq(t, `{"prometheus":{"scrape_targets":[{"targets":["a:1"]}]}}`, string(a.LiveInput))
	for _, f := range a.Files {
		if f.Path == contract.LiveInputPath {
			require.JSONEq(t, string(a.LiveInput), f.Content)
		}
	}
	require.NotEqual(t, a.ConfigHash(), expand(`{"prometheus":{"port":9092,"scrape_targets":[{"targets":["a:1"]}]}}`).ConfigHash())
}

func TestCollectorRoutesOnlyWhereABackendIs(t *testing.T) {
	expand := func(input string) contract.Component {
		stack, err := catalog.LogsPipeline.Entry().Expand(contract.NewRef(contract.LogsPipeline, "team", "app"), json.RawMessage(input))
		require.NoError(t, err)
		return stack.Components[0]
	}
	alone := expand(`{}`)
	require.NotContains(t, alone.Files[0].Content, "otlp_http/prometheus")
	require.Empty(t, alone.Joins)
	both := expand(`{"collector":{"metrics_endpoint":"http://prometheus.m.metrics:9090/api/v1/otlp/","traces_endpoint":"http://jaeger.t.tracing:4318"}}`)
	var config struct {
		Exporters map[string]struct{ Endpoint string }
		Service   struct {
			Pipelines map[string]struct{ Exporters []string }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(both.Files[0].Content), &config))
	require.Equal(t, "http://prometheus.m.metrics:9090/api/v1/otlp", config.Exporters["otlp_http/prometheus"].Endpoint)
	require.Equal(t, []string{"otlp_http/jaeger"}, config.Service.Pipelines["traces"].Exporters)
	require.Equal(t, []contract.Join{
		{Network: "team-metrics-m", Alias: "otel-collector.app.logs"}, {Network: "team-tracing-t", Alias: "otel-collector.app.logs"},
	}, both.Joins)
	require.Empty(t, expand(`{"collector":{"traces_endpoint":"http://otel.example.com:4318"}}`).Joins, "not a service of ours")
}

func TestAnotherPipelinesGrafana(t *testing.T) {
	stack, err := catalog.MetricsPipeline.Entry().Expand(contract.NewRef(contract.MetricsPipeline, "", "app"),
		json.RawMessage(`{"grafana":{"url":"http://127.0.0.1:3002/","pipeline_id":"orch/orch/tracing/app","traces_datasource_uid":"orch-jaeger"}}`))
	require.NoError(t, err)
	require.Len(t, stack.Components, 1, "no Grafana of its own")
	require.Equal(t, []contract.Join{{Network: "orch-tracing-app", Alias: "prometheus.app.metrics"}}, stack.Components[0].Joins)
	require.Empty(t, stack.Components[0].Secrets)
	require.Equal(t, []string{"start_prometheus", "provision_grafana", "verify"}, stack.Steps())
	o := stack.Grafana
	require.Equal(t, "http://127.0.0.1:3002", o.URL)
	require.Equal(t, &contract.SecretRef{Ref: contract.Ref{Scope: "orch", Kind: "tracing", Service: "app"}, Component: "grafana", Name: "admin_password"}, o.Password)
	var datasource struct {
		UID, URL string
		JSONData struct {
			Exemplars []struct{ DatasourceUID string } `json:"exemplarTraceIdDestinations"`
		}
	}
	require.NoError(t, json.Unmarshal(o.Datasource, &datasource))
	require.Equal(t, "orch-metrics-app", datasource.UID)
	require.Equal(t, "http://prometheus.app.metrics:9090", datasource.URL)
	require.Equal(t, "orch-jaeger", datasource.JSONData.Exemplars[0].DatasourceUID)
	require.Equal(t, "orch-metrics-app", stack.Canaries[0].DatasourceUID)
	require.Contains(t, string(o.Dashboards[0]), `"uid": "orch-metrics-app"`)
	require.NotContains(t, string(o.Dashboards[0]), "_UID")
}

func TestDatasourceUIDsFitGrafana(t *testing.T) {
	url := "http://g:3000"
	in := catalog.LogsPipelineInput{Grafana: &catalog.GrafanaInput{URL: &url}}
	long := contract.NewRef(contract.LogsPipeline, "", strings.Repeat("a", 63))
	require.LessOrEqual(t, len(catalog.LogsPipeline.DatasourceUID(long, in)), 40)
	require.NotEqual(t, catalog.LogsPipeline.DatasourceUID(long, in),
		catalog.LogsPipeline.DatasourceUID(contract.NewRef(contract.LogsPipeline, "", strings.Repeat("a", 62)+"b"), in))
}

func TestConfigHashCoversWhatMakesTheContainer(t *testing.T) {
	base := lokiOf(t, `{}`)
	require.Equal(t, base.ConfigHash(), lokiOf(t, `{"loki":null}`).ConfigHash(), "an absent block is a null block")
	for name, input := range map[string]string{
		"port":      `{"loki":{"port":3111}}`,
		"retention": `{"loki":{"retention":"48h"}}`,
		"memory":    `{"loki":{"memory_mb":300}}`,
		"image":     `{"loki":{"image":"x:1"}}`,
		"label":     `{"labels":{"a":"b"}}`,
		// Written defaults differ from absent ones: import must give back what was written.
		"default": `{"loki":{"port":3100}}`,
	} {
		require.NotEqual(t, base.ConfigHash(), lokiOf(t, input).ConfigHash(), name)
	}
	require.Equal(t, base.ConfigHash(), lokiOf(t, `{"grafana":{"port":3005}}`).ConfigHash(), "another component's block changes nothing here")
	probed := base
	probed.Probe.TimeoutSeconds++
	require.Equal(t, base.ConfigHash(), probed.ConfigHash(), "a probe is no part of the container")
	edited := base
	edited.Files = []contract.File{{Path: "/x", Content: "y"}}
	require.NotEqual(t, base.ConfigHash(), edited.ConfigHash())
}

func lokiOf(t *testing.T, input string) contract.Component {
	t.Helper()
	stack, err := catalog.LogsPipeline.Entry().Expand(contract.NewRef(contract.LogsPipeline, "", "app"), json.RawMessage(input))
	require.NoError(t, err)
	c, ok := stack.Component(catalog.LokiName)
	require.True(t, ok)
	return c
}

func TestBadInputIsFoundOnItsAttribute(t *testing.T) {
	cases := map[string]struct{ input, attribute, says string }{
		"port zero":             {`{"loki":{"port":0}}`, "loki.port", "between 1 and 65535"},
		"port too large":        {`{"collector":{"grpc_port":70000}}`, "collector.grpc_port", "between 1 and 65535"},
		"port twice":            {`{"collector":{"http_port":3100}}`, "loki.port", "already used by collector.http_port"},
		"bind address":          {`{"bind_address":"localhost"}`, "bind_address", "not an IP address"},
		"pull policy":           {`{"pull_policy":"sometimes"}`, "pull_policy", "missing, always, never"},
		"own label":             {`{"labels":{"io.orch.managed":"no"}}`, "labels", "orch's own"},
		"empty image":           {`{"grafana":{"image":""}}`, "grafana.image", "not an image reference"},
		"too little memory":     {`{"grafana":{"memory_mb":1}}`, "grafana.memory_mb", "less than"},
		"negative cpus":         {`{"grafana":{"cpus":-1}}`, "grafana.cpus", "negative"},
		"short retention":       {`{"loki":{"retention":"1h"}}`, "loki.retention", "less than 24h"},
		"retention in words":    {`{"loki":{"retention":"long"}}`, "loki.retention", "such as 168h or 30d"},
		"retention with a line": {"{\"loki\":{\"retention\":\"48h\\nx: y\"}}", "loki.retention", "such as 168h or 30d"},
		"endpoint":              {`{"collector":{"traces_endpoint":"jaeger:4318"}}`, "collector.traces_endpoint", "not an http"},
		"own and other Grafana": {`{"grafana":{"url":"http://g:3000","port":3005,"token_wo_version":1,"datasource_url":"http://l:1"}}`, "grafana.port", "own"},
		"no way to log in":      {`{"grafana":{"url":"http://g:3000","datasource_url":"http://l:1"}}`, "grafana.url", "how to log in"},
		"no datasource URL":     {`{"grafana":{"url":"http://g:3000","token_wo_version":1}}`, "grafana.datasource_url", "how that Grafana reaches"},
		"token for an own one":  {`{"grafana":{"token_wo_version":1}}`, "grafana.token_wo_version", "set grafana.url"},
		"empty volume":          {`{"loki":{"volume":""}}`, "loki.volume", "cannot be empty"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := catalog.LogsPipeline.Entry().Expand(contract.NewRef(contract.LogsPipeline, "", "app"), json.RawMessage(c.input))
			var failure *contract.StepFailure
			require.ErrorAs(t, err, &failure)
			require.Equal(t, contract.InvalidInput, failure.Class)
			require.Equal(t, c.attribute, failure.Attribute)
			require.Contains(t, failure.Cause, c.says)
		})
	}
}

func TestRegistryMirrorStandsInForDockerHubOnly(t *testing.T) {
	for image, want := range map[string]string{
		"grafana/loki:3":    "mirror.example.com/hub/grafana/loki:3",
		"neo4j:5":           "mirror.example.com/hub/library/neo4j:5",
		"ghcr.io/x/y:1":     "ghcr.io/x/y:1",
		"localhost/x:1":     "localhost/x:1",
		"registry:5000/x:1": "registry:5000/x:1",
	} {
		stack, err := catalog.LogsPipeline.Entry().Expand(contract.NewRef(contract.LogsPipeline, "", "app"),
			json.RawMessage(`{"registry_mirror":"mirror.example.com/hub/","loki":{"image":"`+image+`"}}`))
		require.NoError(t, err)
		c, _ := stack.Component(catalog.LokiName)
		require.Equal(t, want, c.Image)
	}
}

func TestEndpointsAreKnownFromTheInput(t *testing.T) {
	port, everywhere := int64(4000), "0.0.0.0"
	in := catalog.LogsPipelineInput{Shared: catalog.Shared{BindAddress: &everywhere}, Grafana: &catalog.GrafanaInput{Port: &port}}
	require.Equal(t, map[string]string{
		"otlp_grpc": "127.0.0.1:4317", "otlp_http": "http://127.0.0.1:4318", "loki": "http://127.0.0.1:3100", "grafana": "http://127.0.0.1:4000",
		"loki_internal": "http://loki.app.logs:3100", "otlp_http_internal": "http://otel-collector.app.logs:4318",
	}, catalog.LogsPipeline.Endpoints(contract.NewRef(contract.LogsPipeline, "", "app"), in))
}
