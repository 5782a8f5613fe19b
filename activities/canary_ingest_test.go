package activities_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// newIngest is a stack with one canary and no Grafana: a Collector before the store of another pipeline.
func newIngest(t *testing.T, signal, component string) (*flight, *contract.Canary) {
	t.Helper()
	f := newFlight(t, signal, "otel-collector", "http")
	f.call.Stack.Components = f.call.Stack.Components[:1]
	out := httptest.NewServer(f.store)
	t.Cleanup(out.Close)
	f.engine.addresses[component+"/http"] = out.Listener.Addr().String()
	c := &f.call.Stack.Canaries[0]
	c.DatasourceUID = ""
	return f, c
}

func TestACanaryOfAnIngestIsReadFromTheStoreItEndsIn(t *testing.T) {
	for signal, component := range map[string]string{contract.SignalLog: "loki", contract.SignalMetric: "prometheus", contract.SignalSpan: "jaeger"} {
		t.Run(signal, func(t *testing.T) {
			f, c := newIngest(t, signal, component)
			c.Store = &contract.Store{Ref: contract.NewRef(contract.LogsPipeline, "", "other"), Component: component, Port: "http"}
			c.Path = map[string]string{contract.SignalMetric: "/api/v1/otlp/v1/metrics"}[signal]
			f.hidden = 2
			require.Len(t, proven(t, f.engine, f.call), 1)
			f.hidden = 1000
			_, err := verify(t, f.engine, f.call)
			failure := failureOf(t, err)
			require.Contains(t, failure.Cause, "did not come out of "+component+" of orch/orch/logs/other at http://")
			require.Equal(t, []string{"last line of otel-collector"}, failure.Evidence.Logs, "it knows why it could not send")
		})
	}
}

// A Collector whose backend cannot be read tells by its metrics whether it was answered.
func TestACanaryThatCannotBeReadBackIsToldByTheCollector(t *testing.T) {
	for name, c := range map[string]struct {
		sent, failed int64
		says         string
	}{
		"sent":     {1, 0, ""},
		"refused":  {0, 1, "the endpoint has refused it: 1 log_records failed"},
		"stranded": {0, 0, "last answer: no log_records sent since"},
	} {
		t.Run(name, func(t *testing.T) {
			f, canary := newIngest(t, contract.SignalLog, "loki")
			canary.Sent = true
			var looks atomic.Int64
			metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				sent, failed := int64(7), int64(3)
				if looks.Add(1) > 2 {
					sent, failed = sent+c.sent, failed+c.failed
				}
				_, _ = fmt.Fprintf(w, "# TYPE otelcol_exporter_sent_log_records_total counter\n"+
					"otelcol_exporter_sent_log_records_total{exporter=\"otlp_http/logs\"} %d\notelcol_exporter_sent_spans_total{exporter=\"x\"} %d\n"+
					"otelcol_exporter_send_failed_log_records_total{exporter=\"otlp_http/logs\"} %d\n", sent, looks.Load(), failed)
			}))
			t.Cleanup(metrics.Close)
			f.engine.addresses["otel-collector/metrics"] = metrics.Listener.Addr().String()
			if c.says == "" {
				proven(t, f.engine, f.call)
				return
			}
			_, err := verify(t, f.engine, f.call)
			failure := failureOf(t, err)
			require.Equal(t, contract.Unhealthy, failure.Class)
			require.Contains(t, failure.Cause, c.says)
		})
	}
}

// The certificate that was given is the one that must be shown: by name it belongs to another address than the worker's.
func TestACanaryOverTLSWantsTheGivenCertificate(t *testing.T) {
	f, canary := newIngest(t, contract.SignalLog, "loki")
	canary.Store = &contract.Store{Ref: contract.NewRef(contract.LogsPipeline, "", "other"), Component: "loki", Port: "http"}
	canary.TLS = "certificate.pem"
	secured := httptest.NewUnstartedServer(f.in.Config.Handler)
	secured.Config.ErrorLog = log.New(io.Discard, "", 0) // it says that the client has hung up
	secured.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secured.StartTLS()
	t.Cleanup(secured.Close)
	f.engine.addresses["otel-collector/http"] = secured.Listener.Addr().String()
	shown := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secured.Certificate().Raw}))
	f.engine.secrets["otel-collector/certificate.pem"] = shown
	proven(t, f.engine, f.call)

	f.engine.secrets["otel-collector/certificate.pem"] = otherCertificate(t)
	_, err := verify(t, f.engine, f.call)
	require.Contains(t, failureOf(t, err).Cause, "another certificate is shown")
	for text, says := range map[string]string{
		"nothing of the kind": "not in PEM",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": "cannot be read",
	} {
		f.engine.secrets["otel-collector/certificate.pem"] = text
		_, err = verify(t, f.engine, f.call)
		failure := failureOf(t, err)
		require.Contains(t, failure.Cause, says)
		require.Equal(t, "tls", failure.Attribute)
	}
}

// otherCertificate is one that nobody shows.
func otherCertificate(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
