package e2e

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/doubles/cloudflare"
)

// chatProgram is the application of examples/chat, compiled once.
var chatProgram = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "orch-e2e-chat-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program := filepath.Join(dir, "chat")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	cmd.Dir, cmd.Env = filepath.Join(examplesDir, "chat", "app"), append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, out)
	}
	return os.ReadFile(program)
})

// chatContext puts the folder of examples/chat next to the configuration, with the program that the Dockerfile takes.
func (w *world) chatContext() string {
	w.t.Helper()
	program, err := chatProgram()
	require.NoError(w.t, err)
	dir := filepath.Join(w.dir, "app")
	require.NoError(w.t, os.CopyFS(dir, os.DirFS(filepath.Join(examplesDir, "chat", "app"))))
	require.NoError(w.t, os.WriteFile(filepath.Join(dir, "chat"), program, 0o755))
	return dir
}

// variables sets variables of an example.
func (w *world) variables(values map[string]string) {
	w.t.Helper()
	for name, value := range values {
		w.env = append(w.env, "TF_VAR_"+name+"="+value)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	return strconv.Itoa(reservePort(t))
}

func say(t *testing.T, url, text string) string {
	t.Helper()
	response, err := httpClient.Post(url, "text/plain", strings.NewReader(text))
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode, string(answer))
	return string(answer)
}

func TestChatExampleIsBuiltUpdatedAndDestroyed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	service, port := uniqueName("svc-chat"), freePort(t)
	ref := contract.NewRef(contract.ChatService, "", service)
	t.Cleanup(func() { purge(t, service); purgeImages(t, ref) })
	dir := w.chatContext()
	w.env = append(w.env, "TEMPORAL_ADDRESS="+w.server.address())
	w.variables(map[string]string{
		"service_name": service, "port": port, "dockerfile": "Dockerfile.prebuilt", "delete_volumes": "true",
		"neo4j_image": imageOf(t, catalog.Neo4jName), "neo4j_http_port": freePort(t), "neo4j_bolt_port": freePort(t),
	})
	w.useExample(filepath.Join(examplesDir, "chat"))
	w.apply()
	w.assertEmptyPlan()
	require.Equal(t, "chat_setup_complete", w.attribute("message"))
	require.Equal(t, []any{"start_neo4j", "build_image", "start_chat"}, w.attributes()["steps"])
	url := "http://127.0.0.1:" + port + "/conversations/1"
	require.Contains(t, say(t, url, "hello"), "I remember 1 messages")
	database := lives(t, service)[catalog.Neo4jName]
	require.NotContains(t, inspectAll(t, service), secretOf(t, w.server, &resource{kind: contract.ChatService, service: service}, catalog.Neo4jName))

	// What is said is remembered by the database, which an update of the application does not touch.
	put(t, filepath.Join(dir, "prompt.txt"), "be kind")
	r := w.apply()
	require.Contains(t, r.warnings(), "added prompt.txt")
	require.Regexp(t, `did not answer for \d+\.\d s`, r.warnings())
	w.assertEmptyPlan()
	require.Equal(t, database, lives(t, service)[catalog.Neo4jName])
	require.Contains(t, say(t, url, "again"), "I remember 2 messages")

	w.destroy(asUsual)
	assertNothingLeft(t, service)
	require.Empty(t, imagesOf(t, ref))
}

// chat is an orch_chat_service with what Cloudflare must have.
func chat(service, address, cloudflare string) string {
	return fmt.Sprintf(`%s
provider "orch" {
  address = %q
}
resource "orch_chat_service" "it" {
  service_name   = %q
  delete_volumes = true
  image          = %q
  command        = ["serve", "--port", "8080"]
  neo4j          = { enabled = false }
  ports          = { http = { container = 8080 } }
  health         = { http = { port = "http", path = "/ready" }, interval = "200ms" }
  update         = { drain_seconds = 0 }
  cloudflare = {
    %s
  }
}
`, requiredProviders, address, service, boxImage, cloudflare)
}

func TestChatServiceStartsOnlyWithWhatCloudflareMustHave(t *testing.T) {
	t.Parallel()
	state := cloudflare.Example()
	state.Tokens = append(state.Tokens,
		cloudflare.Token{Value: "disabled", ID: "1", Status: "disabled", Permissions: state.Tokens[0].Permissions},
		cloudflare.Token{Value: "useless", ID: "2", Status: "active", Permissions: []string{cloudflare.ReadZones}})
	state.Zones = append(state.Zones, cloudflare.Zone{
		ID: strings.Repeat("a", 32), Name: "example.org", Status: "pending", AccountID: cloudflare.ExampleAccount, NameServers: []string{"ada.ns.cloudflare.com"},
	})
	double := cloudflare.New(state, slog.New(slog.DiscardHandler))
	api := httptest.NewServer(double)
	t.Cleanup(api.Close)
	w := newWorld(t, shared.get(t))
	service := uniqueName("svc-cf")
	t.Cleanup(func() { purge(t, service) })
	config := func(token string, more ...string) string {
		lines := append([]string{fmt.Sprintf("api_url = %q", api.URL+cloudflare.Base), fmt.Sprintf("token_wo = %q", token), "token_wo_version = 1"}, more...)
		return chat(service, w.server.address(), strings.Join(lines, "\n    "))
	}
	account := fmt.Sprintf("account_id = %q", cloudflare.ExampleAccount)
	for reason, bad := range map[string]struct {
		config string
		says   string
	}{
		"invalid token":       {config("wrong"), "token"},
		"disabled token":      {config("disabled"), "disabled"},
		"account's token":     {config(cloudflare.ExampleAccountToken), "account_id"},
		"without permission":  {config("useless", account, `zone = "example.com"`, `record = "chat.example.com"`), "Zone > DNS > Read"},
		"pending zone":        {config(cloudflare.ExampleToken, `zone = "example.org"`), "ada.ns.cloudflare.com"},
		"no such zone":        {config(cloudflare.ExampleToken, `zone = "example.net"`), "example.net"},
		"no such record":      {config(cloudflare.ExampleToken, `zone = "example.com"`, `record = "no.example.com"`), "no.example.com"},
		"no such tunnel":      {config(cloudflare.ExampleToken, account, `tunnel = "none"`), "none"},
		"record to elsewhere": {config(cloudflare.ExampleToken, `zone = "example.com"`, `record = "chat.example.com"`, `record_content = "192.0.2.1"`), "192.0.2.1"},
	} {
		w.write(bad.config)
		r := w.tryApply()
		require.Equal(t, 1, r.exit, reason)
		require.Contains(t, r.errors(), "step "+contract.StepCloudflare+" failed", reason)
		require.Contains(t, r.errors(), bad.says, reason)
		w.assertPointsAt(r.diagnostics("error")[0], "cloudflare = {")
		assertNothingLeft(t, service)
	}
	w.write(config(cloudflare.ExampleAccountToken, account, `zone = "example.com"`, `record = "chat.example.com"`, `tunnel = "chat"`))
	w.apply()
	w.assertEmptyPlan()
	require.Equal(t, []any{"verify_cloudflare", "start_chat"}, w.attributes()["steps"])
	require.NotContains(t, inspectAll(t, service), cloudflare.ExampleAccountToken)
	require.Zero(t, w.terraform("state", "rm", "orch_chat_service.it").exit)
	require.Zero(t, w.terraform("import", "orch_chat_service.it", service).exit)
	w.apply()
	w.assertEmptyPlan()
	w.destroy()
	assertNothingLeft(t, service)
	require.Empty(t, double.Unknown())
}

// It is tried for a while: apart from the others, which are refused at once.
func TestChatServiceWhoseCloudflareDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	service := uniqueName("svc-cf-away")
	t.Cleanup(func() { purge(t, service) })
	w.write(chat(service, w.server.address(), "api_url = \"http://127.0.0.1:1"+cloudflare.Base+"\"\n    token_wo = \"any\"\n    token_wo_version = 1"))
	r := w.tryApply()
	require.Equal(t, 1, r.exit)
	require.Contains(t, r.errors(), "step "+contract.StepCloudflare+" failed")
	require.Contains(t, r.errors(), "127.0.0.1:1")
	w.assertPointsAt(r.diagnostics("error")[0], "cloudflare = {")
	assertNothingLeft(t, service)
}

// The key comes from the worker's environment, and is nowhere but in the container's file.
func TestProxyExampleTakesItsKeysFromTheWorker(t *testing.T) {
	t.Parallel()
	const key = "sk-of-the-worker"
	s := ownServer(t, "ORCH_SECRET_ENV=OPENAI_API_KEY,ANTHROPIC_API_KEY", "OPENAI_API_KEY="+key, "ANTHROPIC_API_KEY=other")
	w := newWorld(t, s)
	service := uniqueName("svc-proxy")
	t.Cleanup(func() { purge(t, service) })
	w.env = append(w.env, "TEMPORAL_ADDRESS="+s.address())
	w.variables(map[string]string{
		"service_name": service, "image": boxImage, "entrypoint": `["/box"]`, "command": `["serve", "--port", "4000"]`, "health_path": "/ready", "memory_mb": "64",
	})
	w.useExample(filepath.Join(examplesDir, "ai-proxy"))
	w.apply()
	w.assertEmptyPlan()
	container := contract.NewRef(contract.ContainerService, "", service).Container(catalog.ServiceName)
	file := func(name string) string {
		_, body, err := get(published(t, container, "4000")+"/?file=/run/secrets/"+name, "", "")
		require.NoError(t, err)
		return body
	}
	require.Equal(t, key, file("openai_api_key"))
	require.NotEmpty(t, file("master_key"))
	state, err := os.ReadFile(w.stateFile())
	require.NoError(t, err)
	require.NotContains(t, string(state)+inspectAll(t, service)+s.log(), key)

	w.destroy() // which keeps the volume with the secrets
	purge(t, service)
	assertNothingLeft(t, service)
}

func TestKnowledgeGraphExampleJoinsTheDatabasesByReference(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	service := uniqueName("svc-graph")
	t.Cleanup(func() { purge(t, service) })
	w.env = append(w.env, "TEMPORAL_ADDRESS="+w.server.address())
	w.variables(map[string]string{
		"service_name": service, "image": boxImage, "command": `["serve", "--port", "8080"]`, "health_path": "/ready", "delete_volumes": "true",
		"neo4j_image": imageOf(t, catalog.Neo4jName), "neo4j_http_port": freePort(t), "neo4j_bolt_port": freePort(t),
		"qdrant_image": imageOf(t, catalog.QdrantName), "qdrant_http_port": freePort(t), "qdrant_grpc_port": freePort(t),
	})
	w.useExample(filepath.Join(examplesDir, "knowledge-graph"))
	w.apply()
	w.assertEmptyPlan()
	ref := contract.NewRef(contract.ContainerService, "", service)
	_, password, err := get(published(t, ref.Container(catalog.ServiceName), "8080")+"/?file=/run/secrets/neo4j_password", "", "")
	require.NoError(t, err)
	require.Equal(t, secretOf(t, w.server, &resource{kind: contract.DatabasePipeline, service: service}, catalog.Neo4jName), password)
	networks := docker(t, "inspect", "--format", "{{json .NetworkSettings.Networks}}", ref.Container(catalog.ServiceName))
	require.Contains(t, networks, contract.NewRef(contract.DatabasePipeline, "", service).Network())
	w.destroy()
	assertNothingLeft(t, service)
}

// What a plan must refuse, and what is large and must work.
func TestContextsOfEveryKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shared.get(t))
	s := newContainerService(t, "svc-context")
	s.command = ""
	for reason, bad := range map[string]struct {
		spoil func(dir string)
		says  string
	}{
		"no folder":     {func(dir string) { require.NoError(t, os.RemoveAll(dir)) }, "does not exist"},
		"no Dockerfile": {func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "Dockerfile"))) }, "There is no Dockerfile at"},
		"a link out":    {func(dir string) { require.NoError(t, os.Symlink("/etc/hostname", filepath.Join(dir, "out"))) }, "leads out of it"},
		"a socket": {func(dir string) {
			listener, err := net.Listen("unix", filepath.Join(dir, "app.sock"))
			require.NoError(t, err)
			t.Cleanup(func() { _ = listener.Close() })
		}, "app.sock in the build context"},
	} {
		s.context = boxContext(t, "one")
		bad.spoil(s.context)
		w.useService(s)
		r := w.plan()
		require.Equal(t, 1, r.exit, reason)
		require.Contains(t, r.errors(), bad.says, reason)
		w.assertPointsAt(r.diagnostics("error")[0], "build = {")
	}

	for reason, broken := range map[string]struct{ dockerfile, says string }{
		"syntax error":     {"FROM " + boxImage + "\nNONSENSE x\n", "NONSENSE"},
		"missing file":     {"FROM " + boxImage + "\nCOPY none.txt /\n", "none.txt"},
		"failing RUN":      {"FROM " + boxImage + "\nRUN [\"/box\", \"exit\", \"--code\", \"7\", \"--lines\", \"3\"]\n", "line 3 of 3"},
		"missing base":     {"FROM orch.local/none:1\n", "orch.local/none:1"},
		"unhealthy result": {"FROM " + boxImage + "\nCMD [\"exit\", \"--code\", \"5\"]\n", "line 1 of 1"},
	} {
		s.context = boxContext(t, "one")
		put(t, filepath.Join(s.context, "Dockerfile"), broken.dockerfile)
		w.useService(s)
		r := w.tryApply()
		require.Equal(t, 1, r.exit, reason)
		require.Contains(t, r.errors(), broken.says, reason)
		assertNothingLeft(t, s.service)
		require.Empty(t, imagesOf(t, s.ref()), reason)
	}

	s.context = boxContext(t, "one")
	for i := range 10_000 {
		put(t, filepath.Join(s.context, "many", strconv.Itoa(i%100), strconv.Itoa(i)), "small")
	}
	huge, err := os.Create(filepath.Join(s.context, "huge"))
	require.NoError(t, err)
	require.NoError(t, huge.Truncate(100<<20))
	require.NoError(t, huge.Close())
	w.useService(s)
	begin := time.Now()
	w.apply()
	t.Logf("10,000 small files and one of 100 MiB: %s", time.Since(begin).Round(time.Second))
	w.assertEmptyPlan()
	put(t, filepath.Join(s.context, "many", "7", "7"), "changed")
	r := w.plan()
	require.Equal(t, 2, r.exit)
	require.Contains(t, r.warnings(), "many/7/")
	w.destroy()
	assertNothingLeft(t, s.service)
	require.Empty(t, imagesOf(t, s.ref()))
}
