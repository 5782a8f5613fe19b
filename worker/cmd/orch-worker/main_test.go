package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/ports"
)

// isolate keeps a test away from the user's files and from clusters that the environment names.
func isolate(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv(secret.EnvKeyFile, "")
	for _, name := range []string{"ADDRESS", "NAMESPACE", "API_KEY", "PROFILE", "CONFIG_FILE"} {
		t.Setenv("TEMPORAL_"+name, "")
	}
}

func orchWorker(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	status = execute(t.Context(), args, &out, &log)
	return status, out.String(), log.String()
}

func freePort(t *testing.T) string {
	t.Helper()
	port, err := ports.Reserve()
	require.NoError(t, err)
	return strconv.Itoa(port)
}

func TestMistakesOnTheCommandLineGetOneClearLine(t *testing.T) {
	isolate(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, taken.Close()) })
	_, takenPort, err := net.SplitHostPort(taken.Addr().String())
	require.NoError(t, err)
	free := freePort(t)

	for name, tc := range map[string]struct {
		args, want []string
	}{
		"no queue":                        {[]string{"run"}, []string{"no queue", "--service-name", "--task-queue"}},
		"a service name in capitals":      {[]string{"run", "--service-name", "App"}, []string{`"App"`, "lower-case"}},
		"no concurrency":                  {[]string{"run", "--task-queue", "q", "--max-concurrency", "0"}, []string{"--max-concurrency 0", "1 or more"}},
		"a certificate without its key":   {[]string{"run", "--task-queue", "q", "--tls-client-cert-file", "c.pem"}, []string{"--tls-client-key-file", "both or neither"}},
		"certificates without TLS":        {[]string{"run", "--task-queue", "q", "--tls=false", "--tls-ca-cert-file", "c.pem"}, []string{"--tls=false", "contradict"}},
		"a header that gRPC has not":      {[]string{"run", "--task-queue", "q", "--header", "grpc-x=1"}, []string{`"grpc-x"`, "belong to the protocol"}},
		"a file that does not exist":      {[]string{"run", "--task-queue", "q", "--tls-ca-cert-file", "no-such.pem"}, []string{"no-such.pem"}},
		"health of a worker that is none": {[]string{"health", "--metrics-address", "127.0.0.1:" + free}, []string{"no worker answers", "--metrics-address 127.0.0.1:" + free}},
		"a flag that does not exist":      {[]string{"run", "--queue", "q"}, []string{"--queue", "orch-worker run --help"}},
		"an argument too many":            {[]string{"dev", "now"}, []string{`"now"`}},
		"a command that does not exist":   {[]string{"start"}, []string{`"start"`}},
		"a log level that is none":        {[]string{"run", "--task-queue", "q", "--log-level", "loud"}, []string{`"loud"`, "debug, info, warn, error"}},
		"a log format that is none":       {[]string{"run", "--task-queue", "q", "--log-format", "xml"}, []string{`"xml"`, "text, json"}},
		"an address that others reach":    {[]string{"dev", "--ip", "0.0.0.0", "--port", free}, []string{"loopback", "--ip 127.0.0.1"}},
		"a port that is taken":            {[]string{"dev", "--port", takenPort}, []string{"port " + takenPort, "already in use", "--port"}},
		"port 0":                          {[]string{"dev", "--port", "0"}, []string{"--port 0", "1 to 65535"}},
		"a Web UI port that is taken":     {[]string{"dev", "--port", free, "--ui-port", takenPort}, []string{"port " + takenPort, "--ui-port"}},
		"a kind that does not exist":      {[]string{"secret", "clouds", "app", "grafana"}, []string{`"clouds"`, "logs"}},
		"a component that is none":        {[]string{"secret", "logs", "app", "kafka"}, []string{`"kafka"`, "grafana, loki, otel-collector"}},
		"a component without a secret":    {[]string{"secret", "logs", "app", "loki"}, []string{"loki", "has no secret"}},
		"a secret that is none":           {[]string{"secret", "logs", "app", "grafana", "--name", "x"}, []string{"--name"}},
		"a secret of a bad service name":  {[]string{"secret", "logs", "a/b", "grafana"}, []string{`"a/b"`}},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, log := orchWorker(t, tc.args...)
			require.Equal(t, 1, status)
			require.Empty(t, out)
			last := strings.TrimSpace(log[strings.LastIndex(strings.TrimSpace(log), "\n")+1:])
			require.True(t, strings.HasPrefix(last, "Error: "), log)
			for _, part := range tc.want {
				require.Contains(t, last, part)
			}
		})
	}
}

func TestVersionNamesWhatItIsBuiltWith(t *testing.T) {
	status, out, _ := orchWorker(t, "version")
	require.Equal(t, 0, status)
	require.Regexp(t, `(?m)^orch-worker dev \(go1\.`, out)
	require.Regexp(t, `(?m)^temporal server +`, out)
}

func TestSecretFindsTheOnlySecretOfAComponent(t *testing.T) {
	for _, kind := range []string{"logs", "logs_pipeline", "orch_logs_pipeline"} {
		entry, err := findKind(kind)
		require.NoError(t, err)
		name, err := findSecret(entry, contract.NewRef(entry.Kind, "", "app"), "grafana", "")
		require.NoError(t, err)
		require.NotEmpty(t, name)
	}
	// A service's secrets are named by its configuration.
	entry, err := findKind("orch_container_service")
	require.NoError(t, err)
	name, err := findSecret(entry, contract.NewRef(entry.Kind, "", "app"), "service", "master_key")
	require.NoError(t, err)
	require.Equal(t, "master_key", name)
	_, err = findSecret(entry, contract.NewRef(entry.Kind, "", "app"), "service", "")
	require.ErrorContains(t, err, "--name")
	entry, err = findKind("chat")
	require.NoError(t, err)
	name, err = findSecret(entry, contract.NewRef(entry.Kind, "", "app"), "neo4j", "")
	require.NoError(t, err)
	require.Equal(t, "password", name)
}

// startDev runs `orch-worker dev` until the test ends and returns its address and what it has printed.
func startDev(t *testing.T, args ...string) (address, banner string) {
	t.Helper()
	port := freePort(t)
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	var log bytes.Buffer
	status := make(chan int, 1)
	go func() {
		code := execute(ctx, append([]string{"dev", "--port", port, "--data-dir", filepath.Join(t.TempDir(), "data")}, args...), w, &log)
		_ = w.Close()
		status <- code
	}()
	t.Cleanup(func() {
		cancel()
		require.Equal(t, 0, <-status, log.String())
	})
	text := make([]byte, 4096)
	n, err := r.Read(text)
	require.NoError(t, err, "no banner")
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return net.JoinHostPort("127.0.0.1", port), string(text[:n])
}

func TestDevServesTheBundledWorkflowsOnAnyQueue(t *testing.T) {
	isolate(t)
	uiPort := freePort(t)
	address, banner := startDev(t, "--ui-port", uiPort)
	require.Contains(t, banner, address)
	require.Contains(t, banner, "http://127.0.0.1:"+uiPort)
	require.Contains(t, banner, secret.DefaultKeyFile())
	require.Contains(t, banner, "export TEMPORAL_ADDRESS="+address)
	require.FileExists(t, secret.DefaultKeyFile())

	c, err := client.Dial(client.Options{HostPort: address})
	require.NoError(t, err)
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	service := "none" + strconv.FormatInt(time.Now().UnixNano(), 36)
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{TaskQueue: "a-queue-nobody-listed"},
		contract.LogsPipeline.StatusWorkflow(), contract.Request{ServiceName: service, Operation: contract.OpStatus})
	require.NoError(t, err)
	var observed contract.Observed
	require.NoError(t, run.Get(ctx, &observed))
	require.False(t, observed.Found)
	require.NotEmpty(t, observed.EngineID)

	status, out, _ := orchWorker(t, "doctor", "--address", address, "--task-queue", "a-queue-nobody-listed", "--task-queue", "idle")
	require.Equal(t, 0, status, out)
	require.Regexp(t, `(?m)^ok    temporal address  +`+address, out)
	require.Regexp(t, `(?m)^ok    temporal namespace  +default, keeps closed workflows for 7 d$`, out)
	require.Regexp(t, `(?m)^ok    task queue a-queue-nobody-listed +polled by orch-worker-dev@`, out)
	require.Regexp(t, `(?m)^warn  task queue idle +nobody polls it; .*--task-queue idle`, out)
	require.Regexp(t, `(?m)^ok    docker engine `, out)

	status, out, _ = orchWorker(t, "doctor", "--address", address, "--namespace", "nowhere")
	require.Equal(t, 1, status)
	require.Regexp(t, `(?m)^FAIL  temporal namespace  +nowhere does not exist; .*there are: default`, out)
}

func TestDoctorFailsWithoutTemporalAndWithoutAnEngine(t *testing.T) {
	isolate(t)
	t.Setenv("DOCKER_HOST", "tcp://127.0.0.1:"+freePort(t))
	status, out, log := orchWorker(t, "doctor", "--address", "127.0.0.1:"+freePort(t), "--service-name", "app")
	require.Equal(t, 1, status)
	require.Contains(t, log, "Error: checks that failed: ")
	require.Regexp(t, `(?m)^FAIL  temporal address .*orch-worker dev`, out)
	require.Regexp(t, `(?m)^FAIL  docker engine `, out)
	require.Regexp(t, `(?m)^warn  disk space +not checked`, out)
}
