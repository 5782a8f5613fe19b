package connections

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
)

const (
	serverName = "temporal.test"
	queue      = "connections"
	// answerLimit is how long a mistake may take to be reported.
	answerLimit = 20 * time.Second
)

// way is one way to connect: the provider's configuration, the same as flags of orch-worker, and an environment for both.
type way struct {
	provider    runner.Config
	flags       []string
	environment map[string]string
}

// tls fills in a way with attributes and flags.
func (w way) tls(t runner.TLS) way {
	w.provider.TLS = &t
	for flag, value := range map[string]string{
		"--tls-ca-cert-file": t.CACertFile, "--tls-client-cert-file": t.CertFile, "--tls-client-key-file": t.KeyFile, "--tls-server-name": t.ServerName,
	} {
		if value != "" {
			w.flags = append(w.flags, flag, value)
		}
	}
	return w
}

func at(address string) way {
	return way{provider: runner.Config{Address: address}, flags: []string{"--address", address}}
}

func (w way) namespace(name string) way {
	w.provider.Namespace = name
	w.flags = append(w.flags, "--namespace", name)
	return w
}

// use makes the environment that of the case, and nothing else's.
func (w way) use(t *testing.T) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "TEMPORAL_") || strings.HasPrefix(name, "ORCH_ENCRYPTION") {
			t.Setenv(name, "")
			require.NoError(t, os.Unsetenv(name))
		}
	}
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", home)
	t.Setenv("XDG_DATA_HOME", home)
	for name, value := range w.environment {
		t.Setenv(name, value)
	}
}

// entries is the environment for a process.
func (w way) entries() []string {
	entries := make([]string, 0, len(w.environment))
	for name, value := range w.environment {
		entries = append(entries, name+"="+value)
	}
	return entries
}

// look runs a status workflow as the provider does; its worker must poll the queue.
func look(t *testing.T, w way) (contract.Observed, error) {
	t.Helper()
	w.use(t)
	w.provider.WorkerGrace = time.Minute
	client, err := runner.New(w.provider)
	require.NoError(t, err)
	defer client.Close()
	kind := catalog.All()[0].Kind
	var observed contract.Observed
	_, err = client.Status(t.Context(), runner.Call{
		Kind: kind, WorkflowType: kind.StatusWorkflow(), TaskQueue: queue,
		Request: contract.Request{ServiceName: "nobody-made-it", Operation: contract.OpStatus},
	}, &observed)
	return observed, err
}

func worker(t *testing.T, w way) *process {
	t.Helper()
	return start(t, w.entries(), binary(t, "orch-worker", "make build"), append([]string{"run", "--task-queue", queue}, w.flags...)...)
}

// profile writes a temporal.toml.
func profile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return path
}

// secured are a server that requires client certificates, and what a client needs.
type secured struct {
	address string
	process *process
	ca      *authority
	client  keyPair
}

func (s secured) tls() runner.TLS {
	return runner.TLS{CACertFile: s.ca.file, CertFile: s.client.cert, KeyFile: s.client.key}
}

func startSecured(t *testing.T, server keyPair, ca *authority) secured {
	t.Helper()
	address, p := startTemporal(t, "TEMPORAL_TLS_REQUIRE_CLIENT_AUTH=true", "TEMPORAL_TLS_FRONTEND_CERT="+server.cert,
		"TEMPORAL_TLS_FRONTEND_KEY="+server.key, "TEMPORAL_TLS_CLIENT1_CA_CERT="+ca.file, "TEMPORAL_TLS_CLIENT2_CA_CERT="+ca.file)
	waitForListener(t, address)
	return secured{address: address, process: p, ca: ca, client: ca.client("orch")}
}

func TestWaysInWithCertificates(t *testing.T) {
	ca := newAuthority(t, "test authority")
	s := startSecured(t, ca.server(serverName), ca)
	good := at(s.address).tls(s.tls())
	good.use(t)
	prepareSecured(t, s)
	address := s.address
	_, port, _ := strings.Cut(address, ":")
	toml := profile(t, "[profile.default]", `address = "elsewhere.invalid:1"`, "[profile.team]", fmt.Sprintf("address = %q", address),
		"[profile.team.tls]", fmt.Sprintf("server_ca_cert_path = %q", s.ca.file), fmt.Sprintf("client_cert_path = %q", s.client.cert),
		fmt.Sprintf("client_key_path = %q", s.client.key))
	named := s.tls()
	named.ServerName = serverName

	for name, w := range map[string]way{
		"attributes and flags": good,
		"the environment": {environment: map[string]string{
			"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS_SERVER_CA_CERT_PATH": s.ca.file,
			"TEMPORAL_TLS_CLIENT_CERT_PATH": s.client.cert, "TEMPORAL_TLS_CLIENT_KEY_PATH": s.client.key,
		}},
		"certificates in the environment itself": {environment: map[string]string{
			"TEMPORAL_ADDRESS": address, "TEMPORAL_TLS_SERVER_CA_CERT_DATA": content(t, s.ca.file),
			"TEMPORAL_TLS_CLIENT_CERT_DATA": content(t, s.client.cert), "TEMPORAL_TLS_CLIENT_KEY_DATA": content(t, s.client.key),
		}},
		"a profile": {
			provider: runner.Config{ConfigFile: toml, Profile: "team"}, flags: []string{"--config-file", toml, "--profile", "team"},
		},
		"a profile that the environment names":   {environment: map[string]string{"TEMPORAL_CONFIG_FILE": toml, "TEMPORAL_PROFILE": "team"}},
		"a server name other than the address's": at("localhost:" + port).tls(named),
	} {
		t.Run(name, func(t *testing.T) {
			worker(t, w)
			observed, err := look(t, w)
			require.NoError(t, err, detail(err))
			require.Empty(t, observed.Components)
		})
	}
}

func TestWaysInWithTokens(t *testing.T) {
	ca, issuer := newAuthority(t, "test authority"), newIssuer(t)
	certificate := ca.server(serverName)
	address, p := startTemporal(t, "TEMPORAL_TLS_FRONTEND_CERT="+certificate.cert, "TEMPORAL_TLS_FRONTEND_KEY="+certificate.key,
		"TEMPORAL_AUTH_AUTHORIZER=default", "TEMPORAL_AUTH_CLAIM_MAPPER=default", "TEMPORAL_JWT_KEY_SOURCE1="+issuer.keys)
	waitForListener(t, address)
	open := at(address).tls(runner.TLS{CACertFile: ca.file})
	open.use(t)
	admin := open.provider
	admin.APIKey = issuer.token(t, "temporal-system:admin", "default:admin")
	prepare(t, p, admin, "default")
	key := issuer.token(t, "default:write")

	with := func(change func(*way)) way {
		w := at(address).tls(runner.TLS{CACertFile: ca.file})
		change(&w)
		return w
	}
	for name, w := range map[string]way{
		"an API key": with(func(w *way) {
			w.provider.APIKey = key
			w.flags = append(w.flags, "--api-key", key)
		}),
		"an API key in the environment": with(func(w *way) { w.environment = map[string]string{"TEMPORAL_API_KEY": key} }),
		"a header": with(func(w *way) {
			w.provider.Headers = map[string]string{"Authorization": "Bearer " + key}
			w.flags = append(w.flags, "--header", "Authorization=Bearer "+key)
		}),
		"a header in the environment": with(func(w *way) {
			w.environment = map[string]string{"TEMPORAL_GRPC_META_AUTHORIZATION": "Bearer " + key}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			worker(t, w)
			_, err := look(t, w)
			require.NoError(t, err, detail(err))
		})
	}
	for name, token := range map[string]string{
		"no API key": "", "an API key of another issuer": newIssuer(t).token(t, "default:write"),
		"an API key for another namespace": issuer.token(t, "other:write"),
	} {
		t.Run(name, func(t *testing.T) {
			w := with(func(w *way) { w.environment = map[string]string{"TEMPORAL_API_KEY": token} })
			refused(t, w, mistake{reason: runner.Denied, says: "denies access to namespace \"default\"", provider: "api_key", worker: "--api-key"})
		})
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}

func detail(err error) string {
	if err == nil {
		return ""
	}
	return runner.Detail(err)
}
