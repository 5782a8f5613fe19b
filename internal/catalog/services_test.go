package catalog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

func expanded(t *testing.T, entry catalog.Entry, input string) contract.Stack {
	t.Helper()
	stack, err := entry.Expand(contract.NewRef(entry.Kind, "", "app"), json.RawMessage(input))
	require.NoError(t, err)
	return stack
}

func oneService(t *testing.T, input string) contract.Component {
	t.Helper()
	return expanded(t, catalog.ContainerService.Entry(), input).Components[0]
}

func TestImageIsNamedAfterWhatItIsBuiltFrom(t *testing.T) {
	image := func(build string) string { return oneService(t, `{"build":`+build+`}`).Image }
	first := image(`{"context":"a","dir":"/here/a","hash":"1"}`)
	require.Regexp(t, `^orch-container-app-service:[0-9a-f]{12}$`, first)
	require.Equal(t, first, image(`{"context":"b","dir":"/there/b","hash":"1"}`), "the same content is the same image, wherever it lies")
	require.Equal(t, first, image(`{"context":"a","hash":"1","dockerfile":"Dockerfile"}`))
	for _, other := range []string{
		`{"context":"a","hash":"2"}`, `{"context":"a","hash":"1","dockerfile":"x"}`, `{"context":"a","hash":"1","target":"x"}`,
		`{"context":"a","hash":"1","args":{"A":"1"}}`,
	} {
		require.NotEqual(t, first, image(other), other)
	}
	require.NotEqual(t, image(`{"context":"https://x/a.git#v1"}`), image(`{"context":"https://x/a.git#v2"}`))
	require.Equal(t, "m/library/i:1", oneService(t, `{"image":"i:1","registry_mirror":"m"}`).Image)
	require.False(t, strings.HasPrefix(oneService(t, `{"build":{"context":"a","hash":"1"},"registry_mirror":"m"}`).Image, "m/"), "no registry has it")

	stack, err := catalog.ContainerService.Entry().Expand(contract.NewRef(contract.ContainerService, "a_b", "x_-_y"), json.RawMessage(`{"build":{"context":"a","hash":"1"}}`))
	require.NoError(t, err)
	require.Regexp(t, `^a_b-container-x-y-service:`, stack.Components[0].Image, "an image's name takes no mixture of separators")
}

// The path is the worker's business of one run: in a label, another checkout would be another container.
func TestPathOfTheContextIsToldAndNotKept(t *testing.T) {
	c := oneService(t, `{"build":{"context":"a","dir":"/here/a","hash":"1"}}`)
	require.Equal(t, "/here/a", c.Build.Context)
	require.NotContains(t, string(c.Input), "/here")
	require.Equal(t, c.ConfigHash(), oneService(t, `{"build":{"context":"a","dir":"/there/a","hash":"1"}}`).ConfigHash())
}

func TestHealthCheckIsGivenTheTimeThatItMayTake(t *testing.T) {
	c := oneService(t, `{"image":"i:1","ports":{"http":{"container":80}},"health":{"http":{"port":"http"},"interval":"500ms","timeout":"1500ms","start_period":"1m","retries":10}}`)
	require.Equal(t, contract.Probe{
		Type: contract.ProbeHTTP, Port: "http", Path: "/", Attribute: "health.http.path",
		IntervalSeconds: 0.5, AttemptSeconds: 1.5, StartPeriodSeconds: 60, Retries: 10, TimeoutSeconds: 90,
	}, c.Probe)
	require.Equal(t, contract.ProbeTCP, oneService(t, `{"image":"i:1","ports":{"db":{"container":1}},"health":{"tcp":{"port":"db"}}}`).Probe.Type)
	require.Equal(t, contract.ProbeImage, oneService(t, `{"image":"i:1","health":{"image":true}}`).Probe.Type)
	require.Empty(t, oneService(t, `{"image":"i:1"}`).Probe.Type)
}

func TestNewContainerStartsBesideTheOldOneWhereItCan(t *testing.T) {
	for input, handover := range map[string]*contract.Handover{
		`{"image":"i:1"}`: {DrainSeconds: 5},
		`{"image":"i:1","ports":{"http":{"container":80}}}`:                              {DrainSeconds: 5},
		`{"image":"i:1","update":{"drain_seconds":0}}`:                                   {},
		`{"image":"i:1","ports":{"http":{"container":80,"host":80}}}`:                    nil,
		`{"image":"i:1","volumes":{"d":{"path":"/d"}}}`:                                  nil,
		`{"image":"i:1","volumes":{"d":{"path":"/d","read_only":true}}}`:                 {DrainSeconds: 5},
		`{"image":"i:1","volumes":{"d":{"path":"/d"}},"update":{"order":"start-first"}}`: {DrainSeconds: 5},
		`{"image":"i:1","update":{"order":"stop-first"}}`:                                nil,
	} {
		require.Equal(t, handover, oneService(t, input).Handover, input)
	}
}

func TestServiceJoinsTheNetworksOfWhatItIsTold(t *testing.T) {
	c := oneService(t, `{"image":"i:1","networks":["orch/orch/database/a","http://loki.b.logs:3100"],
		"env":{"NEO4J_URI":"bolt://neo4j.a.database:7687","PROXY":"http://service.c.container:4000/v1","SELF":"http://service.app.container:1","OTHER":"http://example.com.x:1"}}`)
	var networks []string
	for _, join := range c.Joins {
		require.Equal(t, "service.app.container", join.Alias)
		networks = append(networks, join.Network)
	}
	require.ElementsMatch(t, []string{"orch-database-a", "orch-logs-b", "orch-container-c"}, networks)
}

func TestSecretsOfServices(t *testing.T) {
	c := oneService(t, `{"image":"i:1","user":"7:8","secrets":{"v":{"value_wo_version":3},"e":{"env":"E","version":2},"f":{"file":"/f"},"g":{},
		"s":{"service":{"id":"orch/orch/database/a","component":"neo4j","name":"password"}}},"volumes":{"d":{"path":"/d"}}}`)
	byName := map[string]contract.Secret{}
	for _, s := range c.Secrets {
		require.Equal(t, int64(0o444), s.Mode, "the image may run as any user")
		byName[s.Name] = s
	}
	require.Equal(t, int64(3), *byName["v"].Version)
	require.Equal(t, int64(2), *byName["e"].Version)
	require.Equal(t, &contract.SecretSource{Env: "E"}, byName["e"].Source)
	require.Equal(t, &contract.SecretSource{File: "/f"}, byName["f"].Source)
	require.Nil(t, byName["g"].Source, "it is generated")
	require.Equal(t, "orch/orch/database/a", byName["s"].Source.Service.Ref.ID())
	require.Equal(t, []int{7, 8}, []int{c.Volumes[0].UID, c.Volumes[0].GID}, "its user can write to it")
}

func TestChatServiceAndItsNeo4j(t *testing.T) {
	chat := func(input string) (contract.Component, int) {
		stack := expanded(t, catalog.ChatService.Entry(), input)
		c, ok := stack.Component(catalog.ChatName)
		require.True(t, ok)
		return c, len(stack.Components)
	}
	own, count := chat(`{"image":"i:1","neo4j":{"password_wo_version":4},"env":{"NEO4J_USER":"me"}}`)
	require.Equal(t, 2, count)
	require.Equal(t, map[string]string{"NEO4J_URI": "bolt://neo4j:7687", "NEO4J_USER": "me", "NEO4J_PASSWORD_FILE": "/run/secrets/neo4j_password"}, own.Env)
	require.Equal(t, int64(4), *own.Secrets[0].Version, "another password is read again")

	others, count := chat(`{"image":"i:1","neo4j":{"pipeline_id":"orch/orch/database/a"}}`)
	require.Equal(t, 1, count)
	require.Equal(t, "bolt://neo4j.a.database:7687", others.Env["NEO4J_URI"])
	require.Equal(t, []contract.Join{{Network: "orch-database-a", Alias: "chat.app.chat"}}, others.Joins)
	require.Equal(t, "orch/orch/database/a", others.Secrets[0].Source.Service.Ref.ID())
	require.Contains(t, string(others.Input), "pipeline_id", "import must find it, and there is no other container")

	none, count := chat(`{"image":"i:1","neo4j":{"enabled":false}}`)
	require.Equal(t, 1, count)
	require.Empty(t, none.Env)
	require.Empty(t, none.Secrets)
}

func TestPartsOfAServicesInputAddUp(t *testing.T) {
	const input = `{"image":"i:1","env":{"A":"b"},"neo4j":{"http_port":17474},"labels":{"team":"a"}}`
	stack := expanded(t, catalog.ChatService.Entry(), input)
	whole := map[string]json.RawMessage{}
	for _, c := range stack.Components {
		part := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal(c.Input, &part))
		for key, value := range part {
			whole[key] = value
		}
	}
	joined, err := json.Marshal(whole)
	require.NoError(t, err)
	again := expanded(t, catalog.ChatService.Entry(), string(joined))
	require.Equal(t, stack, again)
	changed := expanded(t, catalog.ChatService.Entry(), strings.Replace(input, `"b"`, `"c"`, 1))
	require.Equal(t, stack.Components[0].ConfigHash(), changed.Components[0].ConfigHash(), "the application is nothing to its Neo4j")
	require.NotEqual(t, stack.Components[1].ConfigHash(), changed.Components[1].ConfigHash())
}

func TestBadInputOfServicesIsFoundOnItsAttribute(t *testing.T) {
	for input, want := range map[string]struct{ attribute, says string }{
		`{"build":{"context":"https://me:token@example.com/app.git"}}`:                    {"build.context", "holds a login"},
		`{"build":{"context":"http://token@example.com/app.git#main"}}`:                   {"build.context", "holds a login"},
		`{"image":"i:1","tmpfs":["/d:size=1m"],"volumes":{"d":{"path":"/d"}}}`:            {"tmpfs", "already the place of volume d"},
		`{"image":"i:1","tmpfs":["/d/","/d:size=1m"]}`:                                    {"tmpfs", "already the place of tmpfs /d"},
		`{"image":"i:1","tmpfs":["relative:size=1m"]}`:                                    {"tmpfs", "not an absolute path"},
		`{"image":"i:1","cpus":0.001}`:                                                    {"cpus", "less than 0.01"},
		`{"image":"i:1","ports":{"http":{"container":80,"host":0}}}`:                      {"ports.http.host", "between 1 and 65535"},
		`{"image":"i:1","health":{"http":{"port":"x"}},"ports":{"http":{"container":1}}}`: {"health.http.port", "no port"},
	} {
		_, err := catalog.ContainerService.Entry().Expand(contract.NewRef(contract.ContainerService, "", "app"), json.RawMessage(input))
		var failure *contract.StepFailure
		require.ErrorAs(t, err, &failure, input)
		require.Equal(t, want.attribute, failure.Attribute, input)
		require.Contains(t, failure.Cause, want.says, input)
		require.NotContains(t, failure.Cause, "token", input)
	}
	for _, input := range []string{
		`{"build":{"context":"git@github.com:team/app.git#v1"}}`, `{"build":{"context":"https://example.com/app.git#feature@2:docker"}}`,
		`{"build":{"context":"app@2","hash":"1"}}`, `{"image":"i:1","tmpfs":["/tmp:size=64m","/run"],"volumes":{"d":{"path":"/d/"}}}`,
	} {
		_, err := catalog.ContainerService.Entry().Expand(contract.NewRef(contract.ContainerService, "", "app"), json.RawMessage(input))
		require.NoError(t, err, input)
	}
	require.Equal(t, "/d", oneService(t, `{"image":"i:1","volumes":{"d":{"path":"/d/"}}}`).Volumes[0].Path, "one path has one form")
}

func TestNamesOfTheDNSAreComparedAsTheDNSDoes(t *testing.T) {
	stack := expanded(t, catalog.ChatService.Entry(), `{"image":"i:1","cloudflare":{"token":{"env":"T"},"zone":"Example.com","record":"Chat.EXAMPLE.com"}}`)
	require.Equal(t, "Chat.EXAMPLE.com", stack.Cloudflare.Record)
}
