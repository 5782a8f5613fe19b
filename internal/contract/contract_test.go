package contract_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func TestServiceNames(t *testing.T) {
	for _, name := range []string{"a", "app", "a-b_c", "0", strings.Repeat("a", 63)} {
		require.NoError(t, contract.ValidateServiceName(name), name)
	}
	for _, name := range []string{"", "App", "a/b", "-a", "a-", "a.b", "ä", strings.Repeat("a", 64), "a\n"} {
		err := contract.ValidateServiceName(name)
		require.ErrorContains(t, err, contract.ServiceNameRule, name)
	}
}

func TestIDsReadBack(t *testing.T) {
	ref := contract.NewRef(contract.LogsPipeline, "", "app")
	require.Equal(t, "orch/orch/logs/app", ref.ID())
	back, err := contract.ParseID(ref.ID())
	require.NoError(t, err)
	require.Equal(t, ref, back)
	for _, id := range []string{"", "app", "orch/orch/logs", "orch/orch/logs/App", "x/orch/logs/app", "orch/a-b/logs/app"} {
		_, err := contract.ParseID(id)
		require.Error(t, err, id)
	}
}

func TestOwnershipNeedsEveryWord(t *testing.T) {
	ref := contract.NewRef(contract.LogsPipeline, "", "app")
	require.True(t, ref.Owns(ref.Labels()))
	require.False(t, ref.Owns(nil))
	for name := range ref.Labels() {
		labels := ref.Labels()
		labels[name] = "other"
		require.False(t, ref.Owns(labels), name)
	}
}

func TestDigestTellsWishesApart(t *testing.T) {
	base := contract.Request{ServiceName: "app", Operation: contract.OpCreate, Input: json.RawMessage(`{"a":1,"b":null}`)}
	same := base
	same.Input, same.Secrets, same.EngineID = json.RawMessage("{ \"b\": null,\n\"a\": 1 }"), map[string]string{"grafana/x": "secret"}, "engine"
	require.Equal(t, base.Digest(), same.Digest(), "spacing, key order, secret values and the engine are not part of the wish")
	for name, change := range map[string]func(*contract.Request){
		"input":     func(r *contract.Request) { r.Input = json.RawMessage(`{"a":2}`) },
		"operation": func(r *contract.Request) { r.Operation = contract.OpUpdate },
		"volumes":   func(r *contract.Request) { r.DeleteVolumes = true },
		"failure":   func(r *contract.Request) { r.OnFailure = contract.OnFailureKeep },
	} {
		other := base
		change(&other)
		require.NotEqual(t, base.Digest(), other.Digest(), name)
	}
}

func TestFailureTellsStepCauseEvidenceAndWhatToDo(t *testing.T) {
	f := contract.Fail(contract.Unhealthy, "the container ended")
	f.Step, f.Attempts, f.Hint = "start_loki", 1, "docker logs x"
	f.Evidence = &contract.Evidence{Container: "orch-logs-app-loki", State: "exited", ExitCode: 137, OOMKilled: true, Logs: []string{"line 1"}}
	f.RolledBack = []string{"removed container x"}
	text := f.Describe()
	for _, part := range []string{"start_loki", "the container ended", "Unhealthy", "exit code 137", "out of memory", "| line 1", "removed container x", "docker logs x"} {
		require.Contains(t, text, part)
	}
}

// The argument of the old trigger scripts.
func TestBareArgumentIsEnough(t *testing.T) {
	var req contract.Request
	require.NoError(t, json.Unmarshal([]byte(`{"service_name": "x"}`), &req))
	require.Equal(t, "orch/orch/logs/x", req.Ref(contract.LogsPipeline).ID())
	require.Equal(t, contract.OpConverge, req.Operation)
	require.NoError(t, json.Unmarshal([]byte(`"x"`), &req))
	require.Equal(t, contract.Request{ServiceName: "x"}, req)

	full := contract.Request{ServiceName: "x", Scope: "team", Operation: contract.OpCreate, Input: json.RawMessage(`{"a":1}`), Secrets: map[string]string{"a/b": "c"}}
	data, err := json.Marshal(full)
	require.NoError(t, err)
	var back contract.Request
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, full, back)
}

func TestAServiceNameThatIsNoStringIsRefusedByTheRule(t *testing.T) {
	for _, argument := range []string{`{"service_name": 5}`, `{"service_name": ["a"]}`, `{"service_name": true}`} {
		var req contract.Request
		require.NoError(t, json.Unmarshal([]byte(argument), &req), argument)
		require.ErrorContains(t, req.Ref(contract.LogsPipeline).Validate(), "not a string", argument)
	}
	for _, argument := range []string{`{}`, `{"service_name": null}`, `""`} {
		var req contract.Request
		require.NoError(t, json.Unmarshal([]byte(argument), &req), argument)
		require.Error(t, req.Ref(contract.LogsPipeline).Validate(), argument)
	}
}

func TestFailureOfABuildTellsItsLog(t *testing.T) {
	failure := contract.Fail(contract.InvalidInput, "command `make` of Dockerfile ended with exit code 2")
	failure.Step, failure.Evidence = "build_image", &contract.Evidence{Logs: []string{"make: *** no rule"}}
	require.Equal(t, "Step:     build_image\nCause:    command `make` of Dockerfile ended with exit code 2 (InvalidInput)\n"+
		"Last log lines:\n  | make: *** no rule\n", failure.Describe())
}

func TestCallsThatCarryATokenAreSensitive(t *testing.T) {
	require.True(t, contract.CloudflareCall{Secret: "x"}.Sensitive())
	require.False(t, contract.CloudflareCall{Check: contract.CloudflareCheck{Token: contract.SecretSource{Env: "CLOUDFLARE_API_TOKEN"}}}.Sensitive())
}
