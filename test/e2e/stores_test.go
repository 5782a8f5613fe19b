package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/neo4j/neo4j-go-driver/v5/neo4j"
	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// store is a component that keeps data: what a test writes into it comes out of it again.
type store struct {
	write func(t *testing.T, w *world, r *resource)
	// read fails the test when what was written is not there.
	read func(t *testing.T, w *world, r *resource)
}

// stores holds one store per component, each with something of its own to remember.
func newStores() map[string]store {
	marker := strings.ToLower(rand.Text())
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	trace := hex.EncodeToString(id[:])
	return map[string]store{
		catalog.PrometheusName: {
			func(t *testing.T, _ *world, r *resource) { sendGauge(t, r, marker) },
			func(t *testing.T, _ *world, r *resource) { prometheusHas(t, r, marker) },
		},
		catalog.JaegerName: {
			func(t *testing.T, _ *world, r *resource) { sendSpan(t, r, trace) },
			func(t *testing.T, _ *world, r *resource) { jaegerHas(t, r, trace) },
		},
		catalog.Neo4jName: {
			func(t *testing.T, w *world, r *resource) {
				cypher(t, r, secretOf(t, w.server, r, catalog.Neo4jName), "CREATE (n:Kept {marker: $marker})", marker)
			},
			func(t *testing.T, w *world, r *resource) { neo4jHas(t, w, r, marker) },
		},
		catalog.QdrantName: {
			func(t *testing.T, w *world, r *resource) { writeVector(t, w, r, marker) },
			func(t *testing.T, w *world, r *resource) { qdrantHas(t, w, r, marker) },
		},
	}
}

// call is an HTTP request with a JSON body; answers other than 200 are returned, not failed.
func call(t *testing.T, method, target string, header http.Header, body any) (int, string) {
	t.Helper()
	data, err := json.Marshal(body)
	require.NoError(t, err)
	if body == nil {
		data = nil
	}
	request, err := http.NewRequest(method, target, bytes.NewReader(data))
	require.NoError(t, err)
	request.Header = header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := httpClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(answer)
}

// basicAuth is the header that logs in.
func basicAuth(user, password string) http.Header {
	request := http.Request{Header: http.Header{}}
	request.SetBasicAuth(user, password)
	return request.Header
}

func otlpResource() map[string]any {
	return map[string]any{"attributes": []any{map[string]any{"key": "service.name", "value": map[string]any{"stringValue": "orch-e2e"}}}}
}

func now() string { return strconv.FormatInt(time.Now().UnixNano(), 10) }

func sendGauge(t *testing.T, r *resource, marker string) {
	t.Helper()
	point := map[string]any{
		"timeUnixNano": now(), "asInt": "7", "attributes": []any{map[string]any{"key": "marker", "value": map[string]any{"stringValue": marker}}},
	}
	status, answer := call(t, http.MethodPost, r.url("prometheus.port")+"/api/v1/otlp/v1/metrics", nil, map[string]any{"resourceMetrics": []any{map[string]any{
		"resource":     otlpResource(),
		"scopeMetrics": []any{map[string]any{"metrics": []any{map[string]any{"name": "orch_e2e", "gauge": map[string]any{"dataPoints": []any{point}}}}}},
	}}})
	require.Equal(t, http.StatusOK, status, answer)
}

func prometheusHas(t *testing.T, r *resource, marker string) {
	t.Helper()
	query := url.Values{"query": {fmt.Sprintf("orch_e2e{marker=%q}", marker)}}.Encode()
	eventually(t, dataLimit, "Prometheus returns the sample", func() bool {
		_, body, err := get(r.url("prometheus.port")+"/api/v1/query?"+query, "", "")
		return err == nil && strings.Contains(body, marker)
	})
}

// sendSpan writes to the port that Jaeger has for the canary, which the engine chooses.
func sendSpan(t *testing.T, r *resource, trace string) {
	t.Helper()
	published := docker(t, "port", r.container(catalog.JaegerName), "4318/tcp")
	status, answer := call(t, http.MethodPost, "http://"+strings.Fields(published)[0]+"/v1/traces", nil, map[string]any{"resourceSpans": []any{map[string]any{
		"resource": otlpResource(),
		"scopeSpans": []any{map[string]any{"spans": []any{map[string]any{
			"traceId": trace, "spanId": trace[:16], "name": "kept", "kind": 2, "startTimeUnixNano": now(), "endTimeUnixNano": now(),
		}}}},
	}}})
	require.Equal(t, http.StatusOK, status, answer)
}

func jaegerHas(t *testing.T, r *resource, trace string) {
	t.Helper()
	eventually(t, dataLimit, "Jaeger returns the trace", func() bool {
		status, body, err := get(r.url("jaeger.port")+"/api/traces/"+trace, "", "")
		return err == nil && status == http.StatusOK && strings.Contains(body, `"kept"`)
	})
}

// cypher runs a statement over Bolt and returns the first column.
func cypher(t *testing.T, r *resource, password, statement, marker string) []any {
	t.Helper()
	values, err := tryCypher(t, r, password, statement, marker)
	require.NoError(t, err)
	return values
}

func tryCypher(t *testing.T, r *resource, password, statement, marker string) ([]any, error) {
	t.Helper()
	address := strings.Replace(r.url("neo4j.bolt_port"), "http://", "bolt://", 1)
	driver, err := neo4j.NewDriverWithContext(address, neo4j.BasicAuth(catalog.Neo4jUser, password, ""))
	require.NoError(t, err)
	defer func() { require.NoError(t, driver.Close(t.Context())) }()
	result, err := neo4j.ExecuteQuery(t.Context(), driver, statement, map[string]any{"marker": marker}, neo4j.EagerResultTransformer)
	if err != nil {
		return nil, err
	}
	var values []any
	for _, record := range result.Records {
		values = append(values, record.Values[0])
	}
	return values, nil
}

func neo4jHas(t *testing.T, w *world, r *resource, marker string) {
	t.Helper()
	values := cypher(t, r, secretOf(t, w.server, r, catalog.Neo4jName), "MATCH (n:Kept {marker: $marker}) RETURN n.marker", marker)
	require.Equal(t, []any{marker}, values)
}

func qdrantKey(key string) http.Header { return http.Header{"Api-Key": {key}} }

func writeVector(t *testing.T, w *world, r *resource, collection string) {
	t.Helper()
	key := qdrantKey(secretOf(t, w.server, r, catalog.QdrantName))
	base := r.url("qdrant.http_port") + "/collections/" + collection
	status, answer := call(t, http.MethodPut, base, key, map[string]any{"vectors": map[string]any{"size": 4, "distance": "Cosine"}})
	require.Equal(t, http.StatusOK, status, answer)
	status, answer = call(t, http.MethodPut, base+"/points?wait=true", key, map[string]any{"points": []any{
		map[string]any{"id": 1, "vector": []float64{0.1, 0.2, 0.3, 0.4}, "payload": map[string]any{"marker": collection}},
	}})
	require.Equal(t, http.StatusOK, status, answer)
}

func qdrantHas(t *testing.T, w *world, r *resource, collection string) {
	t.Helper()
	key := qdrantKey(secretOf(t, w.server, r, catalog.QdrantName))
	status, answer := call(t, http.MethodPost, r.url("qdrant.http_port")+"/collections/"+collection+"/points/query", key,
		map[string]any{"query": []float64{0.1, 0.2, 0.3, 0.4}, "limit": 1, "with_payload": true})
	require.Equal(t, http.StatusOK, status, answer)
	require.Contains(t, answer, collection)
}

// A new limit means new containers for all; what was written must still be there.
func TestDataOutlivesItsContainers(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(k.kind.Short, func(t *testing.T) {
			t.Parallel()
			r := newResource(t, k.kind, "outlive")
			w := newWorld(t, shared.get(t))
			w.useAll(r)
			w.apply()
			before := lives(t, r.service)
			stores, used := newStores(), 0
			for _, component := range r.components(t) {
				if s, ok := stores[component]; ok {
					s.write(t, w, r)
					s.read(t, w, r)
					used++
				}
			}
			require.NotZero(t, used)

			for _, c := range defaultStack(t, k.kind).Components {
				r.set(c.InputPath, "memory_mb", strconv.FormatInt(c.MemoryMB+64, 10))
			}
			w.useAll(r)
			w.apply()
			after := lives(t, r.service)
			for _, component := range r.components(t) {
				require.NotEqual(t, before[component].id, after[component].id, "%s has a new container", component)
				if s, ok := stores[component]; ok {
					s.read(t, w, r)
				}
			}
			w.assertEmptyPlan()
			w.destroy()
			assertNothingLeft(t, r.service)
		})
	}
}

// Scrape targets are a file that Prometheus watches: a change restarts nothing.
func TestScrapeTargetsChangeWithoutARestart(t *testing.T) {
	t.Parallel()
	r := newResource(t, contract.MetricsPipeline, "targets")
	w := newWorld(t, shared.get(t))
	w.useAll(r)
	w.apply()
	before := lives(t, r.service)
	has := func(target string) bool {
		_, body, err := get(r.url("prometheus.port")+"/api/v1/targets", "", "")
		return err == nil && strings.Contains(body, target)
	}
	require.False(t, has("first.invalid:8080"))

	for _, target := range []string{"first.invalid:8080", "second.invalid:9100"} {
		r.set("prometheus", "scrape_targets", fmt.Sprintf("[{ targets = [%q], labels = { team = \"a\" } }]", target))
		w.useAll(r)
		require.Equal(t, 2, w.plan().exit)
		change := w.planned()
		require.Equal(t, []string{"update"}, change.Actions)
		require.False(t, holdsTrue(change.AfterUnknown["containers"]), "no container changes, and the plan says so")
		w.applyPlan()
		require.Equal(t, before, lives(t, r.service), "neither another container nor a restart")
		eventually(t, dataLimit, "Prometheus knows "+target, func() bool { return has(target) })
		w.assertEmptyPlan()
	}
	eventually(t, dataLimit, "the first target is gone", func() bool { return !has("first.invalid:8080") })
	assertImports(t, w.server, r)

	// Edited behind orch's back it is put back, without a restart too.
	edited := t.TempDir() + "/orch.json"
	writeFile(t, edited, `[{"targets": ["stranger.invalid:1"]}]`)
	docker(t, "cp", edited, r.container(catalog.PrometheusName)+":/etc/prometheus/targets/orch.json")
	planned := w.plan()
	require.Equal(t, 2, planned.exit)
	require.Contains(t, planned.warnings(), "/etc/prometheus/targets/orch.json")
	w.applyPlan()
	require.Equal(t, before, lives(t, r.service))
	eventually(t, dataLimit, "the stranger is gone", func() bool { return has("second.invalid:9100") && !has("stranger.invalid:1") })
	w.destroy()
	assertNothingLeft(t, r.service)
}
