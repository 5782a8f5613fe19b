package activities_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// qdrantDouble is Qdrant's REST API as far as it is used. Whatever it does not know fails the test.
type qdrantDouble struct {
	t      *testing.T
	server *httptest.Server
	key    string

	mu          sync.Mutex
	collections map[string][]map[string]any
	forgets     bool // points are taken and not found
}

func newQdrantDouble(t *testing.T) *qdrantDouble {
	t.Helper()
	q := &qdrantDouble{t: t, key: "the-key", collections: map[string][]map[string]any{}}
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"PUT /collections/{name}": q.create, "DELETE /collections/{name}": q.drop,
		"PUT /collections/{name}/points": q.upsert, "POST /collections/{name}/points/query": q.query,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("api-key") != q.key {
				http.Error(w, "Must provide an API key or an Authorization bearer token", http.StatusUnauthorized)
				return
			}
			q.mu.Lock()
			defer q.mu.Unlock()
			handle(w, r)
		})
	}
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unexpected %s %s", r.Method, r.URL) })
	q.server = httptest.NewServer(mux)
	t.Cleanup(q.server.Close)
	return q
}

func (q *qdrantDouble) result(w http.ResponseWriter, result any) {
	reply(w, http.StatusOK, map[string]any{"result": result, "status": "ok", "time": 0.001})
}

func (q *qdrantDouble) fail(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]any{"status": map[string]any{"error": text}, "time": 0.001})
}

func (q *qdrantDouble) create(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Vectors struct {
			Size     int    `json:"size"`
			Distance string `json:"distance"`
		} `json:"vectors"`
	}
	require.NoError(q.t, json.NewDecoder(r.Body).Decode(&body))
	if _, exists := q.collections[r.PathValue("name")]; exists {
		q.fail(w, http.StatusConflict, "Wrong input: Collection already exists!")
		return
	}
	require.Equal(q.t, 4, body.Vectors.Size)
	require.True(q.t, strings.HasPrefix(r.PathValue("name"), "orch_probe_"))
	q.collections[r.PathValue("name")] = nil
	q.result(w, true)
}

func (q *qdrantDouble) drop(w http.ResponseWriter, r *http.Request) {
	_, existed := q.collections[r.PathValue("name")]
	delete(q.collections, r.PathValue("name"))
	q.result(w, existed)
}

func (q *qdrantDouble) upsert(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Points []map[string]any `json:"points"`
	}
	require.NoError(q.t, json.NewDecoder(r.Body).Decode(&body))
	require.Equal(q.t, "true", r.URL.Query().Get("wait"))
	if !q.forgets {
		q.collections[r.PathValue("name")] = body.Points
	}
	q.result(w, map[string]any{"operation_id": 0, "status": "completed"})
}

func (q *qdrantDouble) query(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Query       []float64 `json:"query"`
		Limit       int       `json:"limit"`
		WithPayload bool      `json:"with_payload"`
	}
	require.NoError(q.t, json.NewDecoder(r.Body).Decode(&body))
	require.Len(q.t, body.Query, 4)
	points, exists := q.collections[r.PathValue("name")]
	if !exists {
		q.fail(w, http.StatusNotFound, "Not found: Collection doesn't exist!")
		return
	}
	hits := []any{}
	for _, point := range points {
		hits = append(hits, map[string]any{"id": point["id"], "version": 0, "score": 1.0, "payload": point["payload"]})
	}
	q.result(w, map[string]any{"points": hits})
}

// databases is a stack of both, with their canaries.
func databases(n *neo4jDouble, q *qdrantDouble) (*engineDouble, contract.StackCall) {
	ref := contract.NewRef(contract.DatabasePipeline, "", "app")
	e := &engineDouble{
		secrets:   map[string]string{"neo4j/password": n.password, "qdrant/api_key": q.key},
		addresses: map[string]string{"neo4j/bolt": n.address, "qdrant/http": q.server.Listener.Addr().String()},
	}
	return e, contract.StackCall{RunID: "run", Stack: contract.Stack{Ref: ref, Canaries: []contract.Canary{
		{Signal: contract.SignalCypher, Component: "neo4j", Port: "bolt", User: "neo4j", TimeoutSeconds: 2,
			Secret: &contract.SecretRef{Ref: ref, Component: "neo4j", Name: "password"}},
		{Signal: contract.SignalVector, Component: "qdrant", Port: "http", TimeoutSeconds: 2,
			Secret: &contract.SecretRef{Ref: ref, Component: "qdrant", Name: "api_key"}},
	}}}
}

func TestDatabaseCanariesComeOutAndLeaveNothing(t *testing.T) {
	n, q := newNeo4jDouble(t), newQdrantDouble(t)
	e, call := databases(n, q)
	proofs := proven(t, e, call)
	require.Equal(t, contract.SignalCypher, proofs[0].Signal)
	require.Equal(t, contract.SignalVector, proofs[1].Signal)
	require.Empty(t, n.nodes)
	require.Empty(t, q.collections)
}

func TestLeftoversOfAKilledTryAreTakenAway(t *testing.T) {
	n, q := newNeo4jDouble(t), newQdrantDouble(t)
	e, call := databases(n, q)
	n.immortal, q.forgets = true, true
	_, err := verify(t, e, call)
	require.Error(t, err)
	require.Len(t, n.nodes, 1, "the first try could not clean up")
	n.immortal, q.forgets = false, false
	proven(t, e, call)
	require.Empty(t, n.nodes)
}

func TestAFailedVectorCanaryLeavesNoCollection(t *testing.T) {
	n, q := newNeo4jDouble(t), newQdrantDouble(t)
	e, call := databases(n, q)
	q.forgets = true
	_, err := verify(t, e, call)
	failure := failureOf(t, err)
	require.Equal(t, contract.Unhealthy, failure.Class)
	require.Regexp(t, `^the vector canary failed: it was written to qdrant at http://\S+/collections/orch_probe_\w+ and did not come out again `+
		`within 2 s, last answer: 0 points instead of 1$`, failure.Cause)
	require.Equal(t, "qdrant", failure.Evidence.Container)
	require.Empty(t, q.collections)
}

func TestDatabasesThatRefuseTheStoredSecretAreNotAskedAgain(t *testing.T) {
	n, q := newNeo4jDouble(t), newQdrantDouble(t)
	e, call := databases(n, q)
	n.password, q.key = "changed-elsewhere", "changed-elsewhere"
	call.Stack.Canaries = call.Stack.Canaries[:1]
	_, err := verify(t, e, call)
	failure := failureOf(t, err)
	require.Equal(t, contract.Denied, failure.Class)
	require.Equal(t, "neo4j.password_wo", failure.Attribute)
	require.Contains(t, failure.Cause, `refuses the stored password of "neo4j"`)
	require.Less(t, n.refused, 3, "Neo4j locks the account after three")

	_, call = databases(n, q)
	call.Stack.Canaries = call.Stack.Canaries[1:]
	_, err = verify(t, e, call)
	failure = failureOf(t, err)
	require.Equal(t, contract.Denied, failure.Class)
	require.Equal(t, "qdrant.api_key_wo", failure.Attribute)
}
