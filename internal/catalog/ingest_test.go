package catalog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func containerLogs(t *testing.T, input string) contract.Component {
	t.Helper()
	stack, err := catalog.ContainerLogsIngest.Entry().Expand(contract.NewRef(contract.ContainerLogsIngest, "team", "app"), json.RawMessage(input))
	require.NoError(t, err)
	return stack.Components[0]
}

func otlp(t *testing.T, input string) contract.Stack {
	t.Helper()
	stack, err := catalog.OTLPIngest.Entry().Expand(contract.NewRef(contract.OTLPIngest, "team", "app"), json.RawMessage(input))
	require.NoError(t, err)
	return stack
}

// exporters are the endpoints of a rendered configuration by exporter.
func exporters(t *testing.T, c contract.Component) map[string]string {
	t.Helper()
	var config struct {
		Exporters map[string]struct{ Endpoint string }
	}
	require.NoError(t, yaml.Unmarshal([]byte(c.Files[0].Content), &config))
	out := map[string]string{}
	for name, e := range config.Exporters {
		out[name] = e.Endpoint
	}
	return out
}

func TestLokiEndpointsAreUnderstoodAsPeopleHaveThem(t *testing.T) {
	for given, want := range map[string]string{
		"http://loki.logs.example.com:3100":                "http://loki.logs.example.com:3100/otlp",
		"http://loki.example.com:3100/":                    "http://loki.example.com:3100/otlp",
		"http://loki.example.com:3100/loki/api/v1/push":    "http://loki.example.com:3100/otlp",
		"http://loki.example.com:3100/otlp":                "http://loki.example.com:3100/otlp",
		"https://example.com/tenant/loki/otlp/v1/logs":     "https://example.com/tenant/loki/otlp",
		"https://logs.example.com/under/loki/api/v1/push/": "https://logs.example.com/under/otlp",
	} {
		c := containerLogs(t, `{"loki_endpoint":"`+given+`"}`)
		require.Equal(t, want, exporters(t, c)["otlp_http/loki"], given)
		require.Empty(t, c.Joins)
	}
	same := containerLogs(t, `{}`)
	require.Equal(t, "http://loki.app.logs:3100/otlp", exporters(t, same)["otlp_http/loki"])
	require.Equal(t, []contract.Join{{Network: "team-logs-app", Alias: "otel-collector.app.containerlogs", Attribute: "loki_endpoint"}}, same.Joins)
	byID := containerLogs(t, `{"logs_pipeline_id":"orch/team/logs/other"}`)
	require.Equal(t, "team-logs-other", byID.Joins[0].Network)
	require.Equal(t, "logs_pipeline_id", byID.Joins[0].Attribute)
}

func TestLogPathsBecomeMountsAndReceivers(t *testing.T) {
	c := containerLogs(t, `{"log_paths":["/srv/app/logs/*.log","/srv/app/**/x.txt","/var/log/one.log","/data/docker/containers/*/*-json.log"]}`)
	require.Equal(t, []contract.Mount{
		{Source: "/data/docker/containers", Target: "/data/docker/containers", Attribute: "log_paths"},
		{Source: "/srv/app", Target: "/srv/app", Attribute: "log_paths"},
		{Source: "/var/log", Target: "/var/log", Attribute: "log_paths"},
	}, c.Mounts)
	require.Equal(t, "0:0", c.User, "only root sees the engine's folder")
	var config struct {
		Receivers map[string]struct {
			Include  []string
			Resource map[string]string
		}
		Service struct {
			Pipelines map[string]struct{ Receivers []string }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(c.Files[0].Content), &config))
	require.Equal(t, []string{"/srv/app/logs/*.log", "/srv/app/**/x.txt", "/var/log/one.log"}, config.Receivers["file_log/files"].Include)
	require.Equal(t, []string{"/data/docker/containers/*/*-json.log"}, config.Receivers["file_log/docker"].Include)
	require.Equal(t, []string{"file_log/files", "file_log/docker"}, config.Service.Pipelines["logs"].Receivers)
	plain := containerLogs(t, `{"log_paths":["/srv/x.log"],"resource_attributes":{"a b":"$1 \"x\""}}`)
	require.Empty(t, plain.User)
	require.Equal(t, 10001, plain.Volumes[0].UID)
	require.NoError(t, yaml.Unmarshal([]byte(plain.Files[0].Content), &config))
	require.Equal(t, map[string]string{"service.name": "app", "a b": `$$1 "x"`}, config.Receivers["file_log/files"].Resource, "the Collector makes $ of $$")
	require.Equal(t, 7, containerLogs(t, `{"collector":{"user":"7:8"}}`).Volumes[0].UID)
}

// A change that the running Collector can take over must not make another container; one that it cannot must.
func TestOnlyWhatNeedsItMakesAnotherContainer(t *testing.T) {
	base := containerLogs(t, `{"log_paths":["/srv/a.log"]}`)
	for _, input := range []string{
		`{"log_paths":["/srv/a.log","/srv/b.log"]}`,
		`{"log_paths":["/srv/a.log"],"resource_attributes":{"x":"y"}}`,
		`{"log_paths":["/srv/a.log"],"logs_pipeline_id":"orch/team/logs/app"}`,
		`{"log_paths":["/srv/a.log"],"template":"{\"extensions\":{\"health_check\":{\"endpoint\":\"0.0.0.0:13133\"}},\"service\":{\"extensions\":[\"health_check\"],\"pipelines\":{\"logs\":{}}}}"}`,
	} {
		other := containerLogs(t, input)
		require.Equal(t, base.ConfigHash(), other.ConfigHash(), input)
		require.NotEqual(t, string(base.LiveInput), string(other.LiveInput), input)
	}
	for _, input := range []string{
		`{"log_paths":["/other/a.log"]}`, `{"log_paths":["/srv/a.log"],"loki_endpoint":"http://l.example.com"}`,
		`{"log_paths":["/srv/a.log"],"collector":{"image":"x:1"}}`, `{"log_paths":["/srv/a.log"],"collector":{"user":"0:0"}}`,
	} {
		require.NotEqual(t, base.ConfigHash(), containerLogs(t, input).ConfigHash(), input)
	}
}

// What was reviewed is what runs, whatever this version would render, and an import finds it.
func TestARenderedConfigurationStaysAsItIs(t *testing.T) {
	const config = `{"extensions":{"health_check":{"endpoint":"0.0.0.0:13133"}},"service":{"extensions":["health_check"],"pipelines":{"logs":{}}}}`
	c := containerLogs(t, `{"template_path":"x.tmpl","config":`+string(mustJSON(t, config))+`}`)
	require.Equal(t, config, c.Files[0].Content)
	whole := map[string]json.RawMessage{}
	for _, part := range []json.RawMessage{c.Input, c.LiveInput} {
		require.NoError(t, json.Unmarshal(part, &whole))
	}
	got, err := json.Marshal(whole)
	require.NoError(t, err)
	again := containerLogs(t, string(got))
	require.Equal(t, c, again)
	rendered := containerLogs(t, `{}`)
	require.Contains(t, string(rendered.LiveInput), `"config":"#`, "also of a start that leaves it out")
	require.Equal(t, "template_path", c.Reload.Attribute)
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

func TestBadContainerLogsInputIsFoundOnItsAttribute(t *testing.T) {
	template := func(text string) string { return `{"template":` + string(mustJSON(t, text)) + `}` }
	const healthy = "extensions: {health_check: {endpoint: \"0.0.0.0:13133\"}}\nservice: {extensions: [health_check], pipelines: {logs: {}}}\n"
	for name, c := range map[string]struct{ input, attribute, says string }{
		"syntax":          {template("a: 1\n{{if}}"), "template", "line 2: missing value for if"},
		"unknown field":   {template("a: {{.Loki}}"), "template", "the fields are .ServiceName, .LogPaths"},
		"missing key":     {template("a: {{.ResourceAttributes.x}}"), "template", `no entry for key "x"`},
		"quote":           {template("a: {{quote 1}}"), "template", "quote takes a string"},
		"no YAML":         {template("a: [1"), "template", "not YAML: line 1"},
		"empty":           {template(""), "template", "is empty"},
		"a list":          {template("- a"), "template", "no mapping"},
		"section":         {template(healthy + "receiver: {}"), "template", `line 3 of the rendered configuration: a Collector knows no section "receiver"`},
		"no health":       {template("service: {pipelines: {logs: {}}}"), "template", "health_check"},
		"health unused":   {template(strings.Replace(healthy, "extensions: [health_check], ", "", 1)), "template", "service.extensions"},
		"health local":    {template(strings.Replace(healthy, "0.0.0.0", "localhost", 1)), "template", "0.0.0.0:13133"},
		"no pipeline":     {template(strings.Replace(healthy, "logs: {}", "", 1)), "template", "does nothing"},
		"promtail":        {template("clients: []"), "template", "alloy convert"},
		"bad config":      {`{"config":"clients: []"}`, "config", "Promtail"},
		"two templates":   {`{"template":"a","template_path":"b"}`, "template", "exclude"},
		"path by API":     {`{"template_path":"b"}`, "template_path", "where Terraform runs"},
		"two endpoints":   {`{"loki_endpoint":"http://l","logs_pipeline_id":"orch/team/logs/a"}`, "logs_pipeline_id", "exclude"},
		"other kind":      {`{"logs_pipeline_id":"orch/team/metrics/a"}`, "logs_pipeline_id", "not the id of an orch_logs_pipeline"},
		"other scope":     {`{"logs_pipeline_id":"orch/else/logs/a"}`, "logs_pipeline_id", `scope "else"`},
		"localhost":       {`{"loki_endpoint":"http://localhost:3100"}`, "loki_endpoint", "the container itself"},
		"loopback":        {`{"loki_endpoint":"http://127.0.0.1:3100"}`, "loki_endpoint", "the container itself"},
		"query path":      {`{"loki_endpoint":"http://l:3100/loki/api/v1/query"}`, "loki_endpoint", "not the base URL"},
		"no URL":          {`{"loki_endpoint":"loki:3100"}`, "loki_endpoint", "not an http"},
		"query":           {`{"loki_endpoint":"http://l?x=1"}`, "loki_endpoint", "more than"},
		"no paths":        {`{"log_paths":[]}`, "log_paths", "at least one"},
		"relative":        {`{"log_paths":["a.log"]}`, "log_paths.0", "absolute"},
		"unclean":         {`{"log_paths":["/a/../b.log"]}`, "log_paths.0", "absolute"},
		"bad pattern":     {`{"log_paths":["/srv/[a.log"]}`, "log_paths.0", "not a valid pattern"},
		"over the config": {`{"log_paths":["/x/a.log","/etc/*.log"]}`, "log_paths.1", "/etc/otelcol-contrib"},
		"proc":            {`{"log_paths":["/proc/1/x"]}`, "log_paths.0", "/proc"},
		"user":            {`{"collector":{"user":"root"}}`, "collector.user", "uid:gid"},
		"service.name":    {`{"resource_attributes":{"service.name":"x"}}`, "resource_attributes", "service_name"},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, catalog.ContainerLogsIngest.Entry(), c.input, c.attribute, c.says) })
	}
	_, err := catalog.ContainerLogsIngest.Entry().Expand(contract.NewRef(contract.ContainerLogsIngest, "", "app"),
		json.RawMessage(`{"loki_endpoint":"http://user:hunter2@l:3100"}`))
	require.ErrorContains(t, err, "password")
	require.NotContains(t, err.Error(), "hunter2")
}

func refuses(t *testing.T, entry catalog.Entry, input, attribute, says string) {
	t.Helper()
	_, err := entry.Expand(contract.NewRef(entry.Kind, "team", "app"), json.RawMessage(input))
	var failure *contract.StepFailure
	require.ErrorAs(t, err, &failure)
	require.Equal(t, contract.InvalidInput, failure.Class)
	require.Equal(t, attribute, failure.Attribute)
	require.Contains(t, failure.Cause, says)
}

func TestOTLPGoesWhereEachSignalBelongs(t *testing.T) {
	stack := otlp(t, `{"otlp_endpoint":"https://otlp.example.com/","logs_endpoint":"http://loki.a.logs:3100",
		"metrics_endpoint":"http://prometheus.b.metrics:9090","traces_endpoint":"http://jaeger.c.tracing:4318/v1/traces"}`)
	require.Equal(t, map[string]string{
		"otlp_http/logs": "http://loki.a.logs:3100/otlp", "otlp_http/metrics": "http://prometheus.b.metrics:9090/api/v1/otlp",
		"otlp_http/traces": "http://jaeger.c.tracing:4318",
	}, exporters(t, stack.Components[0]))
	require.Len(t, stack.Components[0].Joins, 3)
	require.Equal(t, &contract.Store{Ref: contract.Ref{Scope: "team", Kind: "logs", Service: "a"}, Component: "loki", Port: "http"}, stack.Canaries[0].Store)
	require.Equal(t, "prometheus", stack.Canaries[1].Store.Component)
	require.Equal(t, "/v1/metrics", stack.Canaries[1].Path)
	require.Equal(t, "jaeger", stack.Canaries[2].Store.Component)

	one := otlp(t, `{"otlp_endpoint":"http://otel-collector.a.logs:4318"}`)
	require.Len(t, one.Components[0].Joins, 1, "one network, once")
	require.Equal(t, "loki", one.Canaries[0].Store.Component, "that Collector's logs end up in the Loki next to it")
	require.True(t, one.Canaries[1].Sent && one.Canaries[2].Sent)

	alone := otlp(t, `{}`)
	require.Equal(t, map[string]string{"otlp_http/logs": "http://loki.app.logs:3100/otlp"}, exporters(t, alone.Components[0]))
	require.Len(t, alone.Canaries, 1)
	require.Equal(t, []string{"generate_config", "validate_config", "push_config", "reload_otel_collector", "verify"}, alone.Steps())
}

func TestOTLPOverTLS(t *testing.T) {
	stack := otlp(t, `{"tls":{"certificate_wo_version":1,"private_key_wo_version":2},"cors_origins":["https://*.example.com","http://localhost:*"]}`)
	c := stack.Components[0]
	require.Len(t, c.Secrets, 2)
	require.Equal(t, catalog.TLSCertificate, stack.Canaries[0].TLS)
	var config struct {
		Receivers map[string]struct {
			Protocols map[string]struct {
				TLS map[string]string `yaml:"tls"`
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(c.Files[0].Content), &config))
	for _, protocol := range []string{"grpc", "http"} {
		require.Equal(t, map[string]string{"cert_file": "/run/secrets/certificate.pem", "key_file": "/run/secrets/private_key.pem"},
			config.Receivers["otlp"].Protocols[protocol].TLS)
	}
	require.Contains(t, c.Files[0].Content, `allowed_origins: ["https://*.example.com", "http://localhost:*"]`)
	in := catalog.OTLPIngestInput{TLS: &catalog.TLSInput{}, ResourceAttributes: map[string]string{"a": "1=2,3 4"}}
	ref := contract.NewRef(contract.OTLPIngest, "", "app")
	require.Equal(t, "https://otel-collector.app.otlp:4318", in.Environment(ref)["OTEL_EXPORTER_OTLP_ENDPOINT"])
	require.Equal(t, "a=1%3D2%2C3%204", in.Environment(ref)["OTEL_RESOURCE_ATTRIBUTES"])
	require.Equal(t, "https://127.0.0.1:4318", catalog.OTLPIngest.Endpoints(ref, in)["otlp_http"])
}

func TestBadOTLPInputIsFoundOnItsAttribute(t *testing.T) {
	for name, c := range map[string]struct{ input, attribute, says string }{
		"localhost":      {`{"metrics_endpoint":"http://localhost:9090"}`, "metrics_endpoint", "the container itself"},
		"no URL":         {`{"otlp_endpoint":"collector:4317"}`, "otlp_endpoint", "not an http"},
		"origin":         {`{"cors_origins":["*","app.example.com"]}`, "cors_origins.1", "not an origin"},
		"origin's path":  {`{"cors_origins":["https://a.example.com/x"]}`, "cors_origins.0", "not an origin"},
		"half of TLS":    {`{"tls":{"certificate_wo_version":1}}`, "tls", "both needed"},
		"attribute name": {`{"resource_attributes":{"a=b":"c"}}`, "resource_attributes", "cannot be the name"},
		"port twice":     {`{"collector":{"grpc_port":4318}}`, "collector.http_port", "already used"},
		"template":       {`{"template":"{{.Nope}}"}`, "template", ".Routes"},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, catalog.OTLPIngest.Entry(), c.input, c.attribute, c.says) })
	}
}
