package activities_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	collogs "go.opentelemetry.io/proto/otlp/logs/v1"
	colmetrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// store takes OTLP and answers queries for one signal: Loki behind a Collector, Prometheus, or Jaeger.
type store struct {
	t *testing.T
	// busy is how many more writes are refused for now, hidden how many more reads find nothing.
	busy, hidden int
	// status and body answer writes instead of taking them, when status is not 0.
	status int
	body   string

	mu      sync.Mutex
	writes  int
	line    string
	sample  string
	traceID string
}

func (s *store) decode(r *http.Request, into proto.Message) {
	raw, err := io.ReadAll(r.Body)
	if err == nil {
		// Strict: an unknown field is an error. (Ids are hexadecimal in OTLP and base64 in protobuf's JSON; both decode.)
		err = protojson.Unmarshal(raw, into)
	}
	if err != nil || r.Header.Get("Content-Type") != "application/json" {
		s.t.Errorf("POST %s: %v", r.URL, err)
	}
}

// receiver is the way in.
func (s *store) receiver() *httptest.Server {
	take := func(w http.ResponseWriter, into proto.Message, r *http.Request, keep func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.writes++
		switch {
		case s.busy > 0:
			s.busy--
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		case s.status != 0:
			w.WriteHeader(s.status)
			_, _ = io.WriteString(w, s.body)
		default:
			s.decode(r, into)
			keep()
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", func(w http.ResponseWriter, r *http.Request) {
		var data collogs.LogsData
		take(w, &data, r, func() {
			require.Equal(s.t, "orch-probe", data.GetResourceLogs()[0].GetResource().GetAttributes()[0].GetValue().GetStringValue())
			s.line = data.GetResourceLogs()[0].GetScopeLogs()[0].GetLogRecords()[0].GetBody().GetStringValue()
		})
	})
	mux.HandleFunc("POST /api/v1/otlp/v1/metrics", func(w http.ResponseWriter, r *http.Request) {
		var data colmetrics.MetricsData
		take(w, &data, r, func() {
			metric := data.GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics()[0]
			point := metric.GetGauge().GetDataPoints()[0]
			require.Equal(s.t, "orch_probe", metric.GetName())
			s.line = point.GetAttributes()[0].GetValue().GetStringValue()
			s.sample = fmt.Sprint(point.GetAsDouble())
		})
	})
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(raw)))
		var data coltrace.TracesData
		take(w, &data, r, func() {
			_, after, _ := strings.Cut(string(raw), `"traceId":"`)
			id, err := hex.DecodeString(after[:32])
			require.NoError(s.t, err)
			s.traceID = hex.EncodeToString(id)
		})
	})
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { s.t.Errorf("unexpected %s %s", r.Method, r.URL) })
	server := httptest.NewServer(mux)
	s.t.Cleanup(server.Close)
	return server
}

// ServeHTTP is the way out, behind Grafana.
func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hidden > 0 {
		s.hidden--
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}`)
		return
	}
	query, result := r.URL.Query().Get("query"), ""
	switch r.URL.Path {
	case "/loki/api/v1/query_range":
		if word := strings.TrimPrefix(s.line, "orch canary "); s.line != "" && query == fmt.Sprintf("{service_name=\"orch-probe\"} |= %q", word) {
			result = fmt.Sprintf(`{"stream":{"service_name":"orch-probe"},"values":[["1700000000000000000",%q]]}`, s.line)
		}
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"streams","result":[%s]}}`, result)
	case "/api/v1/query":
		if s.line != "" && query == fmt.Sprintf("orch_probe{marker=%q}", s.line) {
			result = fmt.Sprintf(`{"metric":{"__name__":"orch_probe"},"value":[1700000000.1,%q]}`, s.sample)
		}
		_, _ = fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[%s]}}`, result)
	case "/api/traces/" + s.traceID:
		_, _ = fmt.Fprintf(w, `{"data":[{"traceID":%q,"spans":[{"operationName":"canary"}]}],"errors":null}`, s.traceID)
	default:
		s.t.Errorf("unexpected %s %s", r.Method, r.URL)
	}
}

// flight is a stack with one telemetry canary and its own Grafana.
type flight struct {
	*store
	view   *grafanaDouble
	in     *httptest.Server
	engine *engineDouble
	call   contract.StackCall
}

func newFlight(t *testing.T, signal, component, port string) *flight {
	t.Helper()
	f := &flight{store: &store{t: t}, view: newGrafanaDouble(t)}
	f.in = f.receiver()
	f.view.backends["orch-store"] = f.store
	f.engine = &engineDouble{
		secrets: map[string]string{"grafana/admin_password": "right-password"},
		addresses: map[string]string{
			component + "/" + port: f.in.Listener.Addr().String(), "grafana/http": f.view.server.Listener.Addr().String(),
		},
	}
	f.call = contract.StackCall{RunID: "run", Stack: contract.Stack{
		Ref: contract.NewRef(contract.LogsPipeline, "", "app"),
		Components: []contract.Component{
			{Name: component},
			{Name: "grafana", InputPath: "grafana", Probe: contract.Probe{Port: "http"},
				Secrets: []contract.Secret{{Name: "admin_password", User: "admin", Rotation: contract.RotateGrafana}}},
		},
		Canaries: []contract.Canary{{Signal: signal, Component: component, Port: port, DatasourceUID: "orch-store", TimeoutSeconds: 2}},
	}}
	return f
}

func verify(t *testing.T, e *engineDouble, call contract.StackCall) ([]contract.Proof, error) {
	t.Helper()
	var proofs []contract.Proof
	err := run(t, e, contract.VerifyStack.Name, call, &proofs)
	return proofs, err
}

// proven verifies with time enough for a busy machine, and expects success.
func proven(t *testing.T, e *engineDouble, call contract.StackCall) []contract.Proof {
	t.Helper()
	call.Stack.Canaries = slices.Clone(call.Stack.Canaries)
	for i := range call.Stack.Canaries {
		call.Stack.Canaries[i].TimeoutSeconds = 60
	}
	proofs, err := verify(t, e, call)
	require.NoError(t, err)
	return proofs
}

var signals = map[string][2]string{
	contract.SignalLog: {"otel-collector", "http"}, contract.SignalMetric: {"prometheus", "http"}, contract.SignalSpan: {"jaeger", "otlp"},
}

func TestATelemetryCanaryComesOutOfGrafana(t *testing.T) {
	for signal, into := range signals {
		t.Run(signal, func(t *testing.T) {
			f := newFlight(t, signal, into[0], into[1])
			f.busy, f.hidden = 1, 2
			proofs := proven(t, f.engine, f.call)
			require.Len(t, proofs, 1)
			require.Equal(t, signal, proofs[0].Signal)
			require.GreaterOrEqual(t, proofs[0].LatencyMS, int64(50), "it was hidden from two looks")
			require.Less(t, proofs[0].LatencyMS, int64(60_000))
			require.Equal(t, 2, f.writes, "what was taken is not written again")
		})
	}
}

func TestACanaryComesOutOfAnothersGrafana(t *testing.T) {
	f := newFlight(t, contract.SignalMetric, "prometheus", "http")
	f.call.Stack.Components = f.call.Stack.Components[:1]
	f.call.Stack.Grafana = &contract.GrafanaObjects{
		URL: f.view.server.URL, User: "admin", Attribute: "grafana.url",
		Password: &contract.SecretRef{Ref: contract.NewRef(contract.TracingPipeline, "", "app"), Component: "grafana", Name: "admin_password"},
	}
	proven(t, f.engine, f.call)
	f.view.password = "changed"
	_, err := verify(t, f.engine, f.call)
	failure := failureOf(t, err)
	require.Equal(t, contract.Denied, failure.Class)
	require.Equal(t, "grafana.url", failure.Attribute)
	require.Equal(t, 1, f.view.refused, "a wrong password is not tried again")
}

func TestACanaryThatDoesNotComeOutTellsTheWay(t *testing.T) {
	f := newFlight(t, contract.SignalSpan, "jaeger", "otlp")
	f.hidden = 1000
	began := time.Now()
	_, err := verify(t, f.engine, f.call)
	require.Less(t, time.Since(began), 30*time.Second)
	failure := failureOf(t, err)
	require.Equal(t, contract.Unhealthy, failure.Class)
	require.Equal(t, fmt.Sprintf("the span canary failed: it was written to jaeger at %s/v1/traces and did not come out of data source orch-store of Grafana at %s "+
		"within 2 s, last answer: 404 Not Found: trace not found", f.in.URL, f.view.server.URL), failure.Cause)
	require.Equal(t, []string{"last line of jaeger"}, failure.Evidence.Logs)
	require.Contains(t, failure.Hint, "verify = false")
}

func TestAnEmptyAnswerIsNoProof(t *testing.T) {
	f := newFlight(t, contract.SignalLog, "otel-collector", "http")
	f.status = http.StatusOK // taken and dropped
	_, err := verify(t, f.engine, f.call)
	require.Contains(t, failureOf(t, err).Cause, "last answer: no line with it yet")
}

func TestAWriteThatIsRefusedEndsAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		cause  string
	}{
		"bad request": {http.StatusBadRequest, "otlp is off", "400 Bad Request: otlp is off"},
		"rejected":    {http.StatusOK, `{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}`, "200, but it was not taken: too old"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFlight(t, contract.SignalLog, "otel-collector", "http")
			f.status, f.body = c.status, c.body
			_, err := verify(t, f.engine, f.call)
			failure := failureOf(t, err)
			require.Equal(t, contract.Unhealthy, failure.Class)
			require.Contains(t, failure.Cause, "the log canary failed: it could not be written to otel-collector at "+f.in.URL+"/v1/logs: "+c.cause)
			require.Equal(t, 1, f.writes)
		})
	}
}

func TestTheGrafanaThatDoesNotAnswerIsTheOneToLookAt(t *testing.T) {
	f := newFlight(t, contract.SignalLog, "otel-collector", "http")
	f.view.server.Close()
	_, err := verify(t, f.engine, f.call)
	failure := failureOf(t, err)
	require.Equal(t, contract.Unhealthy, failure.Class)
	require.Contains(t, failure.Cause, "does not answer")
	require.Equal(t, "grafana", failure.Evidence.Container)
}

func TestAComponentWithoutAContainerCannotBeVerified(t *testing.T) {
	f := newFlight(t, contract.SignalLog, "otel-collector", "http")
	delete(f.engine.addresses, "otel-collector/http")
	_, err := verify(t, f.engine, f.call)
	require.Equal(t, contract.NotFound, failureOf(t, err).Class)
	f.call.Stack.EngineID = "another"
	_, err = verify(t, f.engine, f.call)
	require.Equal(t, contract.WrongEngine, failureOf(t, err).Class)
}

func TestSeveralFailuresAreAllTold(t *testing.T) {
	f := newFlight(t, contract.SignalLog, "otel-collector", "http")
	f.status = http.StatusBadRequest
	f.call.Stack.Canaries = append(f.call.Stack.Canaries, contract.Canary{Signal: "smoke"})
	_, err := verify(t, f.engine, f.call)
	failure := failureOf(t, err)
	require.Contains(t, failure.Cause, "the log canary failed")
	require.Contains(t, failure.Cause, `; and this worker knows no canary of the kind "smoke"`)
}
