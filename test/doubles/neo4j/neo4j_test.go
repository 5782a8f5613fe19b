package neo4j

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v5/neo4j"
)

const initial = "first-password"

// instance is a double on directories that outlive it.
type instance struct {
	t       *testing.T
	cfg     Config
	server  *Server
	address string
	stop    func()
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	i := &instance{t: t, cfg: Config{Password: initial, MinPassword: 8, Data: t.TempDir(), Logs: t.TempDir(), Bolt: "0.0.0.0:7687"}}
	i.start()
	return i
}

func (i *instance) start() {
	i.t.Helper()
	server, err := New(i.cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		i.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		i.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(i.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.ServeBolt(ctx, ln) }()
	i.server, i.address = server, ln.Addr().String()
	i.stop = func() {
		cancel()
		if err := errors.Join(<-ended, server.Close()); err != nil && !errors.Is(err, os.ErrClosed) {
			i.t.Error(err)
		}
		ended <- nil
	}
	i.t.Cleanup(i.stop)
}

// connect returns the real driver; scheme is bolt or neo4j, which routes.
func (i *instance) connect(scheme, password string) driver.DriverWithContext {
	i.t.Helper()
	d, err := driver.NewDriverWithContext(scheme+"://"+i.address, driver.BasicAuth(user, password, ""))
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = d.Close(context.WithoutCancel(i.t.Context())) })
	return d
}

func (i *instance) query(d driver.DriverWithContext, cypher string, parameters map[string]any) (*driver.EagerResult, error) {
	return driver.ExecuteQuery(i.t.Context(), d, cypher, parameters, driver.EagerResultTransformer, driver.ExecuteQueryWithDatabase("neo4j"))
}

func (i *instance) mustQuery(d driver.DriverWithContext, cypher string, parameters map[string]any) *driver.EagerResult {
	i.t.Helper()
	out, err := i.query(d, cypher, parameters)
	if err != nil {
		i.t.Fatalf("%s: %v", cypher, err)
	}
	return out
}

func code(err error) string {
	var failed *driver.Neo4jError
	if errors.As(err, &failed) {
		return failed.Code
	}
	return ""
}

func TestTheRealDriverWritesAndReadsAcrossARestart(t *testing.T) {
	i := newInstance(t)
	for _, scheme := range []string{"bolt", "neo4j"} {
		d := i.connect(scheme, initial)
		if err := d.VerifyConnectivity(t.Context()); err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		info, err := d.GetServerInfo(t.Context())
		if err != nil || info.Agent() != "Neo4j/"+Version || info.ProtocolVersion().Major != 5 {
			t.Errorf("%s: %v %v", scheme, info, err)
		}
	}
	d := i.connect("neo4j", initial)
	made := i.mustQuery(d, "CREATE (n:Probe:Orch {key: $key, weight: 1.5, on: true}) SET n.count = 3 RETURN n", map[string]any{"key": "marker"})
	if counters := made.Summary.Counters(); counters.NodesCreated() != 1 || counters.LabelsAdded() != 2 || counters.PropertiesSet() != 4 {
		t.Errorf("counters: %+v", counters)
	}
	for range 2 {
		i.mustQuery(d, "MERGE (n:Probe {key: $key}) SET n.seen = $at RETURN n.key", map[string]any{"key": "marker", "at": int64(1 << 40)})
	}
	i.stop()
	i.start()

	d = i.connect("bolt", initial)
	found := i.mustQuery(d, "MATCH (n:Probe {key: $key}) RETURN n.seen AS seen, n.count, n", map[string]any{"key": "marker"})
	if len(found.Records) != 1 || strings.Join(found.Keys, " ") != "seen n.count n" {
		t.Fatalf("found %v with %v", found.Records, found.Keys)
	}
	values := found.Records[0].Values
	n, isNode := values[2].(driver.Node)
	if values[0] != int64(1<<40) || values[1] != int64(3) || !isNode || n.Props["weight"] != 1.5 || n.Props["on"] != true || len(n.Labels) != 2 {
		t.Errorf("values are %v", values)
	}
	if gone := i.mustQuery(d, "MATCH (n:Probe) WHERE n.key = $key DETACH DELETE n", map[string]any{"key": "marker"}); gone.Summary.Counters().NodesDeleted() != 1 {
		t.Errorf("deleted %d", gone.Summary.Counters().NodesDeleted())
	}
	if left := i.mustQuery(d, "MATCH (n:Probe) RETURN count(n) AS c", nil); left.Records[0].Values[0] != int64(0) {
		t.Errorf("left %v", left.Records[0].Values)
	}
	if shown := i.mustQuery(d, "SHOW DATABASES YIELD name, currentStatus", nil); len(shown.Records) != 2 || shown.Records[0].Values[1] != "online" {
		t.Errorf("databases: %v", shown.Records)
	}
}

func TestTransactionsOfTheDriverCommitAndRollBack(t *testing.T) {
	i := newInstance(t)
	session := i.connect("bolt", initial).NewSession(t.Context(), driver.SessionConfig{})
	defer func() { _ = session.Close(t.Context()) }()
	for _, keep := range []bool{false, true} {
		tx, err := session.BeginTransaction(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := tx.Run(t.Context(), "CREATE (:Probe {keep: $keep})", map[string]any{"keep": keep}); err != nil {
				t.Fatal(err)
			}
		}
		end := tx.Rollback
		if keep {
			end = tx.Commit
		}
		if err := end(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	count, err := session.ExecuteRead(t.Context(), func(tx driver.ManagedTransaction) (any, error) {
		result, err := tx.Run(t.Context(), "MATCH (n:Probe) RETURN n.keep", nil)
		if err != nil {
			return nil, err
		}
		records, err := result.Collect(t.Context())
		return len(records), err
	})
	if err != nil || count != 2 {
		t.Errorf("%v nodes are left, err %v", count, err)
	}
}

func TestWrongStatementsFailWithTheCodesOfNeo4jAndLeaveTheSessionUsable(t *testing.T) {
	i := newInstance(t)
	session := i.connect("bolt", initial).NewSession(t.Context(), driver.SessionConfig{AccessMode: driver.AccessModeRead})
	defer func() { _ = session.Close(t.Context()) }()
	tests := []struct{ query, want string }{
		{"MATCH (n)-[r]->(m) RETURN r", codeSyntax},
		{"MATCH (n) RETURN m", codeSyntax},
		{"CALL dbms.components()", codeSyntax},
		{"RETURN 'open", codeSyntax},
		{"RETURN 1 1", codeSyntax},
		{"RETURN $missing", codeParameter},
		{"CREATE (n:Probe)", codeAccessMode},
	}
	for _, tt := range tests {
		result, err := session.Run(t.Context(), tt.query, nil)
		if err == nil {
			_, err = result.Consume(t.Context())
		}
		if code(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.query, err, tt.want)
		}
	}
	if result, err := session.Run(t.Context(), "RETURN 1", nil); err != nil || !result.Next(t.Context()) || result.Record().Values[0] != int64(1) {
		t.Errorf("the session is not usable: %v", err)
	}
	if _, err := driver.ExecuteQuery(t.Context(), i.connect("bolt", initial), "RETURN 1", nil, driver.EagerResultTransformer, driver.ExecuteQueryWithDatabase("x")); code(err) != codeDatabase {
		t.Errorf("another database: %v", err)
	}
	if unknown := i.server.ledger.Requests(); len(unknown) != 5 {
		t.Errorf("the ledger counted %v", unknown)
	}
}

func TestNoPieceOfAStatementBreaksTheParser(t *testing.T) {
	for _, query := range []string{
		"MATCH (n:A:`B c` {k: $v, x: 'it\\'s'}) WHERE n.a = -1.5 AND n.b = null SET n.c = true RETURN n, n.c AS c, count(*) LIMIT 3;",
		"ALTER CURRENT USER SET PASSWORD FROM $old TO $new", "SHOW DATABASES YIELD name, home", "MERGE (:A) RETURN 1 AS one", "MATCH (n) DETACH DELETE n",
	} {
		for from := range query {
			for to := from; to <= len(query); to++ {
				_, _ = parse(query[from:to])
			}
		}
		if _, failed := parse(query); failed != nil {
			t.Errorf("%s: %v", query, failed)
		}
	}
}

func TestPasswordRotationOnAVolumeThatHasData(t *testing.T) {
	i := newInstance(t)
	const second = "second-password"
	alter := func(password, old, next string) error {
		_, err := driver.ExecuteQuery(t.Context(), i.connect("bolt", password), "ALTER CURRENT USER SET PASSWORD FROM $old TO $new",
			map[string]any{"old": old, "new": next}, driver.EagerResultTransformer, driver.ExecuteQueryWithDatabase("system"))
		return err
	}
	for name, given := range map[string][2]string{
		"a wrong old password": {"wrong-password", second}, "the same password": {initial, initial}, "a short password": {initial, "short"}, "the default": {initial, "neo4j"},
	} {
		if err := alter(initial, given[0], given[1]); code(err) != codeArguments {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := alter(initial, initial, second); err != nil {
		t.Fatal(err)
	}
	i.stop()
	i.cfg.Password = "third-password"
	i.start()
	for _, wrong := range []string{initial, i.cfg.Password} {
		if err := i.connect("bolt", wrong).VerifyConnectivity(t.Context()); code(err) != errUnauthorized.code {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if err := i.connect("bolt", second).VerifyConnectivity(t.Context()); err != nil {
		t.Errorf("the rotated password: %v", err)
	}
}

func TestThreeWrongPasswordsBlockTheRightOneForFiveSeconds(t *testing.T) {
	i := newInstance(t)
	now := time.Now()
	i.server.store.now = func() time.Time { return now }
	for range authAttempts {
		if failed := i.server.store.login(user, "wrong"); failed != errUnauthorized {
			t.Fatal(failed)
		}
	}
	if failed := i.server.store.login(user, initial); failed != errRateLimit {
		t.Errorf("the right password: %v", failed)
	}
	now = now.Add(authLockTime)
	if failed := i.server.store.login(user, initial); failed != nil {
		t.Errorf("after the lock: %v", failed)
	}
}

func TestTheHTTPPort(t *testing.T) {
	i := newInstance(t)
	do := func(method, target, password, body string) (int, string) {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Host = "neo4j:7474"
		if password != "" {
			r.SetBasicAuth(user, password)
		}
		w := httptest.NewRecorder()
		i.server.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	tests := []struct {
		name, method, target, password, body string
		status                               int
		want                                 string
	}{
		{"discovery", http.MethodGet, "/", "", "", 200, `"neo4j_version":"` + Version + `"`},
		{"discovery names Bolt", http.MethodGet, "/", "", "", 200, `"bolt_direct":"bolt://neo4j:7687"`},
		{"a query", http.MethodPost, "/db/neo4j/query/v2", initial, `{"statement":"CREATE (n:P {k:$k}) RETURN n.k","parameters":{"k":7}}`, 202, `"values":[[7]]`},
		{"a node", http.MethodPost, "/db/neo4j/query/v2", initial, `{"statement":"MATCH (n:P {k:7}) RETURN n"}`, 202, `"properties":{"k":7}`},
		{"no password", http.MethodPost, "/db/neo4j/query/v2", "", `{"statement":"RETURN 1"}`, 401, "Security.Unauthorized"},
		{"a wrong statement", http.MethodPost, "/db/neo4j/query/v2", initial, `{"statement":"RETURN"}`, 400, "SyntaxError"},
		{"an unknown field", http.MethodPost, "/db/neo4j/query/v2", initial, `{"query":"RETURN 1"}`, 400, "query"},
		{"another database", http.MethodPost, "/db/x/query/v2", initial, `{"statement":"RETURN 1"}`, 404, "DatabaseNotFound"},
		{"another route", http.MethodGet, "/browser/", "", "", 404, ""},
		{"the ledger", http.MethodGet, "/double/unknown", "", "", 200, `"count":3`},
	}
	for _, tt := range tests {
		if status, body := do(tt.method, tt.target, tt.password, tt.body); status != tt.status || !strings.Contains(body, tt.want) || !json.Valid([]byte(body)) && tt.status != 404 {
			t.Errorf("%s: %d %s", tt.name, status, body)
		}
	}
}

func TestParseEnv(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "neo4j_auth")
	if err := os.WriteFile(secret, []byte("neo4j/from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	image := []string{"NEO4J_EDITION=community", "NEO4J_HOME=/var/lib/neo4j", "PATH=/bin"}
	cfg, err := ParseEnv(append(image, "NEO4J_AUTH_FILE="+secret, "NEO4J_server_memory_heap_initial__size=1G", "NEO4J_server_memory_heap_max__size=1G",
		"NEO4J_server_memory_pagecache_size=512M", `NEO4J_PLUGINS=["apoc"]`, "NEO4J_dbms_security_auth__minimum__password__length=10"))
	if err != nil || cfg.Password != "from-a-file" || cfg.MinPassword != 10 || cfg.heapMax != 1<<30 {
		t.Fatalf("%+v, %v", cfg, err)
	}
	const auth = "NEO4J_AUTH=neo4j/long-enough"
	tests := []struct {
		name, want string
		environ    []string
	}{
		{"a stray variable", "No declared setting with name: URI", []string{auth, "NEO4J_URI=bolt://x"}},
		{"a wrong size", "not a valid size", []string{auth, "NEO4J_server_memory_heap_max__size=1 gig"}},
		{"a heap that shrinks", "larger value than the maximum", []string{auth, "NEO4J_server_memory_heap_initial__size=2G", "NEO4J_server_memory_heap_max__size=1G"}},
		{"an unknown plugin", "not a known Neo4j plugin", []string{auth, `NEO4J_PLUGINS=["apoc","x"]`}},
		{"plugins that are no JSON", "not a JSON array", []string{auth, `NEO4J_PLUGINS=apoc`}},
		{"no password", "with a password only", nil},
		{"another user", "must be neo4j", []string{"NEO4J_AUTH=admin/long-enough"}},
		{"a slash in the password", "without a slash", []string{"NEO4J_AUTH=neo4j/long/enough"}},
		{"a short password", "at least 8", []string{"NEO4J_AUTH=neo4j/short"}},
		{"the default password", "cannot be 'neo4j'", []string{"NEO4J_AUTH=neo4j/neo4j"}},
		{"variable and file", "both NEO4J_AUTH and NEO4J_AUTH_FILE", []string{auth, "NEO4J_AUTH_FILE=" + secret}},
		{"a missing file", "not readable", []string{"NEO4J_AUTH_FILE=/nonexistent"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseEnv(tt.environ); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestMainExitsWithOneAndSaysWhy(t *testing.T) {
	for want, given := range map[string][2]string{
		"No declared setting": {"neo4j", "NEO4J_PASSWORD=x"}, "want neo4j": {"bash", "NEO4J_AUTH=neo4j/long-enough"},
	} {
		var out strings.Builder
		if code := Main(t.Context(), []string{given[0]}, []string{given[1]}, &out); code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("%v ended with %d:\n%s", given, code, out.String())
		}
	}
	if err := refuseConf(t.TempDir()); err == nil {
		t.Error("a directory /conf went unnoticed")
	}
}

func TestASecondProcessOnTheSameDataFails(t *testing.T) {
	i := newInstance(t)
	if _, err := New(i.cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "store lock file") {
		t.Errorf("error %v", err)
	}
}
