package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// An ingest of OTLP sends each signal where it belongs, proves it, changes while it runs, and is imported by its name.
func TestLifeOfOTLPIngest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	logs, metrics := newResource(t, contract.LogsPipeline, "otlp-logs"), newResource(t, contract.MetricsPipeline, "otlp-metrics")
	traces, r := newResource(t, contract.TracingPipeline, "otlp-traces"), newResource(t, contract.OTLPIngest, "otlp")
	endpoints := []string{
		"logs_endpoint = " + logs.address() + ".endpoints.loki_internal",
		"metrics_endpoint = " + metrics.address() + ".endpoints.otlp_http_internal",
		"traces_endpoint = " + traces.address() + ".endpoints.otlp_http_internal",
	}
	r.top = append([]string{"delete_volumes = true", "resource_attributes = { \"deployment.environment.name\" = \"a b\" }"}, endpoints...)
	w.useAll(logs, metrics, traces, r)
	w.apply()
	w.assertEmptyPlan()
	recordRun(t, w.server, contract.NewRef(contract.OTLPIngest, "", r.service).ID(), "", "otlp-setup")
	state := w.inState(r)
	require.Equal(t, "otlp_from_apps ingest enabled", state["message"])
	proofs := w.verified(r)
	require.Len(t, proofs, 3)
	require.Equal(t, map[string]any{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel-collector." + r.service + ".otlp:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
		"OTEL_SERVICE_NAME": r.service, "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=a%20b",
	}, state["environment"])

	before := lives(t, r.service)
	require.Empty(t, corsOrigin(t, r, "https://app.example.com"))
	r.top = append(r.top, `cors_origins = ["https://*.example.com"]`)
	w.useAll(logs, metrics, traces, r)
	w.apply()
	require.Equal(t, before, lives(t, r.service), "another origin needs neither another container nor a restart")
	require.Equal(t, "https://app.example.com", corsOrigin(t, r, "https://app.example.com"))
	require.Empty(t, corsOrigin(t, r, "https://app.example.org"))
	w.assertEmptyPlan()

	w.assertMends(r)
	assertNoUnknownRequests(t, w.server, r)
	alike := *r
	alike.top = r.top[1:]
	other := newWorld(t, w.server)
	other.useAll(logs, metrics, traces, &alike)
	imported := other.terraform("import", "-no-color", r.address(), r.service)
	require.Zero(t, imported.exit, imported.out)
	require.Equal(t, 2, other.plan().exit)
	require.Equal(t, []string{"no-op"}, other.changeOf(r).Actions, "what was imported is as configured")
	w.destroy(asUsual)
	for _, gone := range []*resource{logs, metrics, traces, r} {
		assertNothingLeft(t, gone.service)
	}
}

// corsOrigin is the origin that the receiver lets a page of that origin send from, as a browser asks for it.
func corsOrigin(t *testing.T, r *resource, origin string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodOptions, r.url("collector.http_port")+"/v1/logs", nil)
	require.NoError(t, err)
	request.Header.Set("Origin", origin)
	request.Header.Set("Access-Control-Request-Method", http.MethodPost)
	request.Header.Set("Access-Control-Request-Headers", "content-type")
	response, err := httpClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.Header.Get("Access-Control-Allow-Origin")
}

// An endpoint that is no pipeline's own store is proven by what the Collector says that it has sent, and one that does not
// take a signal fails the setup.
func TestOTLPIngestProvesWhatItCannotReadBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	logs := newResource(t, contract.LogsPipeline, "behind")
	first, second := newResource(t, contract.OTLPIngest, "first"), newResource(t, contract.OTLPIngest, "second")
	first.label, second.label = "first", "second"
	first.top = append(first.top, "logs_endpoint = "+logs.address()+".endpoints.otlp_http_internal")
	second.top = append(second.top, "logs_endpoint = "+first.address()+".endpoints.otlp_http_internal")
	w.useAll(logs, first, second)
	w.apply()
	require.Contains(t, w.verified(first), contract.SignalLog)
	require.Contains(t, w.verified(second), contract.SignalLog)
	w.assertEmptyPlan()

	second.top[len(second.top)-1] = "otlp_endpoint = " + first.address() + ".endpoints.otlp_http_internal"
	w.useAll(logs, first, second)
	refused := w.tryApply()
	require.Equal(t, 1, refused.exit)
	require.Contains(t, refused.errors(), "step verify failed")
	require.Contains(t, refused.errors(), "refused it")
	require.Contains(t, refused.errors(), "put back the configuration")
	second.top[len(second.top)-1] = "logs_endpoint = " + first.address() + ".endpoints.otlp_http_internal"
	w.useAll(logs, first, second)
	w.assertEmptyPlan()
	w.destroy()
	for _, gone := range []*resource{logs, first, second} {
		assertNothingLeft(t, gone.service)
	}
}

// The certificate and its key are used, and shown nowhere.
func TestOTLPIngestOverTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	logs, r := newResource(t, contract.LogsPipeline, "tls-logs"), newResource(t, contract.OTLPIngest, "tls")
	certificate, key := selfSigned(t, "otel-collector."+r.service+".otlp")
	r.head = []string{"variable \"certificate\" {}", "variable \"key\" {", "  sensitive = true", "}"}
	r.top = append(r.top, "logs_endpoint = "+logs.address()+".endpoints.loki_internal", "tls = {", "  certificate_wo = var.certificate",
		"  certificate_wo_version = 1", "  private_key_wo = var.key", "  private_key_wo_version = 1", "}")
	w.env = append(w.env, "TF_VAR_certificate="+certificate, "TF_VAR_key="+key)
	w.useAll(logs, r)
	w.apply()
	require.Contains(t, w.verified(r), contract.SignalLog)
	endpoint, _ := w.inState(r)["environment"].(map[string]any)["OTEL_EXPORTER_OTLP_ENDPOINT"].(string)
	require.True(t, strings.HasPrefix(endpoint, "https://"), endpoint)
	line := strings.Split(key, "\n")[1]
	require.NotContains(t, inspectAll(t, r.service), line)
	state := w.terraform("show", "-json")
	require.Zero(t, state.exit)
	require.NotContains(t, state.out, line)
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, r.service)
}

// selfSigned is a certificate of that name and its key, in PEM.
func selfSigned(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "orch test"}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	var out [2]bytes.Buffer
	require.NoError(t, pem.Encode(&out[0], &pem.Block{Type: "CERTIFICATE", Bytes: der}))
	require.NoError(t, pem.Encode(&out[1], &pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
	return out[0].String(), out[1].String()
}

// A start that names the service alone uses the logs pipeline of the same name, and Terraform can take it over. Without that
// pipeline, the failure says what is missing.
func ingestsByServiceNameAlone(t *testing.T) {
	s := shared.get(t)
	withDefaultImages(t, "")
	logs := newResource(t, contract.LogsPipeline, "seed")
	w := newWorld(t, s)
	w.useAll(logs)
	start := func(kind contract.Kind) (contract.Result, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		ref := contract.NewRef(kind, "", logs.service)
		run, err := s.dial(t).ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: ref.ID(), TaskQueue: contract.TaskQueue(logs.service)},
			kind.SetupWorkflow(), map[string]any{"service_name": logs.service})
		require.NoError(t, err)
		var result contract.Result
		err = run.Get(ctx, &result)
		return result, err
	}
	_, err := start(contract.ContainerLogsIngest)
	require.Error(t, err, "there is no logs pipeline yet")
	w.apply()
	result, err := start(contract.ContainerLogsIngest)
	require.NoError(t, err)
	require.Equal(t, "container_logs ingest configured", result.Message)
	says := logs.service + "-says"
	foreign(t, "container", says, "run", "--detach", "--name", says, boxImage, "exit", "--lines", "3")
	id := docker(t, "inspect", "--format", "{{.Id}}", says)
	eventually(t, dataLimit, "Loki has the lines of the container", func() bool {
		query := url.Values{"query": {fmt.Sprintf("{service_name=%q} |= \"line 2 of 3\" | container_id=%q", logs.service, id)}}
		_, body, err := get(logs.url("loki.port")+"/loki/api/v1/query_range?"+query.Encode(), "", "")
		return err == nil && strings.Contains(body, "box: line 2 of 3")
	})
	r := &resource{kind: contract.ContainerLogsIngest, label: "it", service: logs.service, top: []string{"depends_on = [" + logs.address() + "]"}}
	w.useAll(logs, r)
	imported := w.terraform("import", "-no-color", r.address(), r.service)
	require.Zero(t, imported.exit, imported.out)
	w.assertEmptyPlan()
	w.destroy(asUsual) // the order of what was imported is known to a refresh only
	purge(t, logs.service)
}
