package resources_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// unknown stands for a value that Terraform does not know yet.
type unknown struct{}

// nestedMap is a map of objects, and set a set of strings.
type (
	nestedMap map[string]any
	set       []string
)

// configured is a value of that type: maps become objects with nulls for what is absent.
func configured(t *testing.T, typ tftypes.Type, value any) tftypes.Value {
	t.Helper()
	if _, ok := value.(unknown); ok {
		return tftypes.NewValue(typ, tftypes.UnknownValue)
	}
	values, isMap := value.(map[string]any)
	elements, isList := value.([]any)
	elementsByName, isNested := value.(nestedMap)
	members, isSet := value.(set)
	object, isObject := typ.(tftypes.Object)
	switch {
	case isObject && isMap:
		out := map[string]tftypes.Value{}
		for name, attribute := range object.AttributeTypes {
			out[name] = configured(t, attribute, values[name])
		}
		for name := range values {
			if _, ok := object.AttributeTypes[name]; !ok {
				t.Fatalf("no attribute %q", name)
			}
		}
		return tftypes.NewValue(typ, out)
	case isNested:
		nested, _ := typ.(tftypes.Map)
		out := map[string]tftypes.Value{}
		for name, v := range elementsByName {
			out[name] = configured(t, nested.ElementType, v)
		}
		return tftypes.NewValue(typ, out)
	case isSet:
		out := []tftypes.Value{}
		for _, v := range members {
			out = append(out, tftypes.NewValue(tftypes.String, v))
		}
		return tftypes.NewValue(typ, out)
	case isMap:
		out := map[string]tftypes.Value{}
		for name, v := range values {
			out[name] = tftypes.NewValue(tftypes.String, v)
		}
		return tftypes.NewValue(typ, out)
	case isList:
		list, _ := typ.(tftypes.List)
		out := []tftypes.Value{}
		for _, v := range elements {
			out = append(out, configured(t, list.ElementType, v))
		}
		return tftypes.NewValue(typ, out)
	default:
		return tftypes.NewValue(typ, value)
	}
}

// validate is what `terraform validate` is told of a configuration: attribute path and text, one line a diagnostic.
func validate(t *testing.T, config map[string]any) []string {
	t.Helper()
	return validateOf(t, contract.LogsPipeline, config)
}

func validateOf(t *testing.T, kind contract.Kind, config map[string]any) []string {
	t.Helper()
	server, err := newFake(t).factories()["orch"]()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	typ := schemas.ResourceSchemas["orch_"+kind.Name].ValueType()
	value, err := tfprotov6.NewDynamicValue(typ, configured(t, typ, config))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{
		TypeName: "orch_" + kind.Name, Config: &value,
		ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, d := range resp.Diagnostics {
		path := strings.NewReplacer(`AttributeName("`, "", `")`, "").Replace(d.Attribute.String())
		found = append(found, fmt.Sprintf("%s: %s: %s", path, d.Summary, d.Detail))
	}
	return found
}

func TestBadValuesAreReportedOnTheirAttribute(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	with := func(name string, value any) object { return object{"service_name": "app", name: value} }
	for reason, test := range map[string]struct {
		config object
		path   string
		says   string
	}{
		"empty name":              {object{"service_name": ""}, "service_name", "1 to 63 lower-case letters"},
		"upper-case name":         {object{"service_name": "App"}, "service_name", `"App" is not valid`},
		"name of 64 characters":   {object{"service_name": strings.Repeat("a", 64)}, "service_name", "is not valid"},
		"name with a slash":       {object{"service_name": "a/b"}, "service_name", "is not valid"},
		"name ending in a hyphen": {object{"service_name": "app-"}, "service_name", "ending with a letter or digit"},
		"port 0":                  {with("loki", object{"port": 0}), "loki", "Port 0 is not between 1 and 65535"},
		"port 70000":              {with("grafana", object{"port": 70000}), "grafana", "Port 70000 is not between 1 and 65535"},
		"negative port":           {with("collector", object{"grpc_port": -1}), "collector", "Port -1"},
		"same port twice":         {with("collector", object{"grpc_port": 4400, "http_port": 4400}), "collector", "already used by collector.grpc_port"},
		"default port of another": {with("grafana", object{"port": 3100}), "grafana", "already used by loki.port"},
		"memory below Docker's":   {with("loki", object{"memory_mb": 1}), "loki", "less than"},
		"negative cpus":           {with("loki", object{"cpus": -0.5}), "loki", "CPUs"},
		"empty image":             {with("loki", object{"image": ""}), "loki", "not an image reference"},
		"image with a space":      {with("loki", object{"image": "lo ki"}), "loki", "not an image reference"},
		"host name to bind to":    {with("bind_address", "localhost"), "bind_address", "not an IP address"},
		"unknown pull policy":     {with("pull_policy", "sometimes"), "pull_policy", "missing, always, never"},
		"label of orch's own":     {with("labels", object{"io.orch.kind": "x"}), "labels", "orch's own"},
		"retention in words":      {with("loki", object{"retention": "a week"}), "loki", "not a duration"},
		"retention below Loki's":  {with("loki", object{"retention": "12h"}), "loki", "less than 24h"},
		"unknown on_failure":      {with("on_failure", "panic"), "on_failure", "rollback"},
		"unknown on_interrupt":    {with("on_interrupt", "ignore"), "on_interrupt", "detach"},
		"timeout in words":        {with("timeouts", object{"create": "soon"}), "timeouts.create", "not a duration above zero"},
		"timeout of nothing":      {with("timeouts", object{"delete": "0s"}), "timeouts.delete", "not a duration above zero"},
		"short password": {
			with("grafana", object{"admin_password_wo": "admin", "admin_password_wo_version": 1}), "grafana.admin_password_wo", "at least 8",
		},
		"password without version": {with("grafana", object{"admin_password_wo": "correct-horse"}), "grafana.admin_password_wo", "admin_password_wo_version"},
		"version without password": {with("grafana", object{"admin_password_wo_version": 1}), "grafana.admin_password_wo_version", "admin_password_wo"},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			found := validate(t, test.config)
			if len(found) != 1 || !strings.HasPrefix(found[0], test.path+": ") || !strings.Contains(found[0], test.says) {
				t.Errorf("got %q, want one diagnostic on %s that says %q", found, test.path, test.says)
			}
		})
	}
}

func TestBadValuesOfOtherKindsAreReportedOnTheirAttribute(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	type list = []any
	metrics, tracing, database := contract.MetricsPipeline, contract.TracingPipeline, contract.DatabasePipeline
	targets := func(groups ...any) object { return object{"scrape_targets": groups} }
	foreign := func(more object) object {
		grafana := object{"url": "http://g:3000", "token_wo": "t", "token_wo_version": 1, "datasource_url": "http://p:9090"}
		maps.Copy(grafana, more)
		return grafana
	}
	for reason, test := range map[string]struct {
		kind  contract.Kind
		block string
		value any
		path  string // under the block
		says  string
	}{
		"retention in words":          {metrics, "prometheus", object{"retention_time": "a month"}, "", "Invalid prometheus.retention_time"},
		"size without a unit":         {metrics, "prometheus", object{"retention_size": "5"}, "", "not a size such as 512MB"},
		"interval of nothing":         {metrics, "prometheus", object{"scrape_interval": "0s"}, "", "less than 1s"},
		"group without a target":      {metrics, "prometheus", targets(object{"targets": list{"a:1"}}, object{"targets": list{}}), "", "Invalid prometheus.scrape_targets[1].targets"},
		"target that is a URL":        {metrics, "prometheus", targets(object{"targets": list{"http://a:1"}}), "", `"http://a:1" is not of the form host:port`},
		"port of the other component": {metrics, "grafana", object{"port": 9090}, "", "already used by prometheus.port"},
		"own Grafana with a token":    {metrics, "grafana", object{"token_wo": "t", "token_wo_version": 1}, "", "set grafana.url too"},
		"foreign Grafana with port":   {metrics, "grafana", foreign(object{"port": 3001}), "", "remove it, or grafana.url"},
		"foreign Grafana, no login":   {metrics, "grafana", foreign(object{"token_wo": nil, "token_wo_version": nil}), "", "Say in one way how to log in"},
		"two logins":                  {metrics, "grafana", foreign(object{"pipeline_id": "orch/orch/tracing/app"}), "", "Say in one way how to log in"},
		"id of nothing":               {metrics, "grafana", object{"url": "http://g:3000", "pipeline_id": "app"}, "", "orch/<scope>/<kind>/<service_name>"},
		"no way to the store":         {metrics, "grafana", foreign(object{"datasource_url": nil}), "", "how that Grafana reaches this pipeline's prometheus"},
		"address without scheme":      {tracing, "grafana", foreign(object{"url": "g:3000"}), "", "not an http or https URL"},
		"token without version":       {tracing, "grafana", object{"url": "http://g:3000", "pipeline_id": "orch/orch/logs/app", "token_wo": "t"}, ".token_wo", "token_wo_version"},
		"empty uid":                   {tracing, "grafana", object{"logs_datasource_uid": ""}, ".logs_datasource_uid", "at least 1"},
		"short password, own Grafana": {tracing, "grafana", object{"admin_password_wo": "short", "admin_password_wo_version": 1}, ".admin_password_wo", "at least 8"},
		"spans for no time":           {tracing, "jaeger", object{"retention": "5s"}, "", "less than 1m0s"},
		"short Neo4j password":        {database, "neo4j", object{"password_wo": "neo4j", "password_wo_version": 1}, ".password_wo", "at least 8"},
		"Neo4j password with a slash": {database, "neo4j", object{"password_wo": "correct/horse", "password_wo_version": 1}, ".password_wo", "no slash"},
		"password without version":    {database, "neo4j", object{"password_wo": "correct-horse"}, ".password_wo", "password_wo_version"},
		"plugin with a path":          {database, "neo4j", object{"plugins": list{"apoc", "../x"}}, "", "Invalid neo4j.plugins[1]"},
		"more heap than memory":       {database, "neo4j", object{"heap_mb": 4096}, "", "not enough for a heap of 4096"},
		"short key":                   {database, "qdrant", object{"api_key_wo": "key", "api_key_wo_version": 1}, ".api_key_wo", "at least 8"},
		"key with a space":            {database, "qdrant", object{"api_key_wo": "correct horse", "api_key_wo_version": 1}, ".api_key_wo", "HTTP header"},
		"version without key":         {database, "qdrant", object{"api_key_wo_version": 1}, ".api_key_wo_version", "api_key_wo"},
		"Bolt port out of range":      {database, "neo4j", object{"bolt_port": 70000}, "", "Port 70000 is not between 1 and 65535"},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			found := validateOf(t, test.kind, object{"service_name": "app", test.block: test.value})
			if len(found) != 1 || !strings.HasPrefix(found[0], test.block+test.path+": ") || !strings.Contains(found[0], test.says) {
				t.Errorf("got %q, want one diagnostic on %s that says %q", found, test.block+test.path, test.says)
			}
		})
	}
}

func TestUnknownValuesAreNotJudged(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	for reason, config := range map[string]object{
		"everything absent":           {"service_name": "app"},
		"name unknown":                {"service_name": unknown{}},
		"block unknown":               {"service_name": "app", "loki": unknown{}},
		"port unknown, default taken": {"service_name": "app", "loki": object{"port": unknown{}}, "grafana": object{"port": 3100}},
		"password unknown":            {"service_name": "app", "grafana": object{"admin_password_wo": unknown{}, "admin_password_wo_version": 1}},
		"retention in days":           {"service_name": "app", "loki": object{"retention": "7d"}},
		"Grafana's URL unknown":       {"service_name": "app", "grafana": object{"url": unknown{}, "token_wo": "t", "token_wo_version": 1}},
		"short password, URL unknown": {"service_name": "app", "grafana": object{"url": unknown{}, "admin_password_wo": "short", "admin_password_wo_version": 1}},
		"short password of another Grafana": {"service_name": "app", "grafana": object{
			"url": "http://g:3000", "admin_password_wo": "short", "admin_password_wo_version": 1, "datasource_url": "http://l:3100",
		}},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			if found := validate(t, config); len(found) > 0 {
				t.Errorf("got %q", found)
			}
		})
	}
}

func TestValueThatBecomesKnownInThePlanIsJudgedThere(t *testing.T) {
	t.Parallel()
	c := newCLI(t, newFake(t))
	c.write("variable \"port\" {\n  default = 70000\n}\n" + hcl(`service_name = "app"`, `loki = {`, `  port = var.port`, `}`))
	c.want(1, []string{"plan", "-no-color"}, []string{"Invalid loki.port", "Port 70000 is not between 1 and 65535", "port = var.port"})
}

func TestBadValuesOfServicesAreReportedOnTheirAttribute(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	container, chat := contract.ContainerService, contract.ChatService
	with := func(more object) object {
		config := object{"service_name": "app", "image": "i:1", "ports": nestedMap{"http": object{"container": 80}, "dns": object{"container": 53, "protocol": "udp"}}}
		maps.Copy(config, more)
		return config
	}
	one := func(name string, value object) nestedMap { return nestedMap{name: value} }
	health := func(value object) object { return with(object{"health": value}) }
	cloudflare := func(value object) object {
		block := object{"token": object{"env": "T"}}
		maps.Copy(block, value)
		return with(object{"cloudflare": block})
	}
	for reason, test := range map[string]struct {
		kind   contract.Kind
		config object
		path   string
		says   string
	}{
		"neither image nor build":     {container, object{"service_name": "app"}, "image", "Either image or build"},
		"image and build":             {container, with(object{"build": object{"context": "."}}), "build", "only one of image and build"},
		"empty context":               {container, with(object{"image": nil, "build": object{"context": " "}}), "build", "Invalid build.context"},
		"Dockerfile elsewhere":        {container, with(object{"image": nil, "build": object{"context": ".", "dockerfile": "../Dockerfile"}}), "build", "not a path within the context"},
		"absolute Dockerfile":         {container, with(object{"image": nil, "build": object{"context": ".", "dockerfile": "/Dockerfile"}}), "build", "Invalid build.dockerfile"},
		"variable with a space":       {container, with(object{"env": object{"A B": "c"}}), "env", "not the name of an environment variable"},
		"secret in a folder":          {container, with(object{"secrets": one("a/b", object{"env": "A"})}), "secrets", "cannot be a file's name"},
		"secret of a reserved name":   {container, with(object{"secrets": one("a.previous", object{"env": "A"})}), "secrets", "does not end with"},
		"two sources":                 {container, with(object{"secrets": one("a", object{"env": "A", "file": "/a"})}), "secrets", "Only one of value_wo, env, file and service"},
		"relative file":               {container, with(object{"secrets": one("a", object{"file": "a"})}), "secrets", "not an absolute path on the worker's host"},
		"version of nothing":          {container, with(object{"secrets": one("a", object{"version": 1})}), "secrets", "Invalid secrets.a.version"},
		"id of nothing":               {container, with(object{"secrets": one("a", object{"service": object{"id": "x", "component": "c", "name": "n"}})}), "secrets", "Invalid secrets.a.service.id"},
		"secret of no component":      {container, with(object{"secrets": one("a", object{"service": object{"id": "orch/orch/database/x", "component": "", "name": "n"}})}), "secrets", "must not be empty"},
		"value without version":       {container, with(object{"secrets": one("a", object{"value_wo": "v"})}), `secrets.ElementKeyString("a.value_wo`, "value_wo_version"},
		"port of no number":           {container, with(object{"ports": one("http", object{"container": 0})}), "ports", "port 0 is not between"},
		"port's name in capitals":     {container, with(object{"ports": one("HTTP", object{"container": 80})}), "ports", "cannot be a port's name"},
		"name of an endpoint":         {container, with(object{"ports": one("http_internal", object{"container": 80})}), "ports", "_internal"},
		"same port twice":             {container, with(object{"ports": nestedMap{"a": object{"container": 80}, "b": object{"container": 80}}}), "ports", `Port 80/tcp is already "a"`},
		"same host port twice":        {container, with(object{"ports": nestedMap{"a": object{"container": 80, "host": 8080}, "b": object{"container": 81, "host": 8080}}}), "ports", "already used by ports.a.host"},
		"host port out of range":      {container, with(object{"ports": one("a", object{"container": 80, "host": 70000})}), "ports", "Port 70000 is not between 1 and 65535"},
		"unknown protocol":            {container, with(object{"ports": one("a", object{"container": 80, "protocol": "sctp"})}), "ports", "neither tcp nor udp"},
		"relative volume":             {container, with(object{"volumes": one("data", object{"path": "data"})}), "volumes", "not an absolute path within the container"},
		"volume over the secrets":     {container, with(object{"volumes": one("data", object{"path": "/run/secrets"})}), "volumes", "already the place of the secrets"},
		"two volumes in one place":    {container, with(object{"volumes": nestedMap{"a": object{"path": "/d"}, "b": object{"path": "/d/"}}}), "volumes", "already the place of volume a"},
		"reserved volume":             {container, with(object{"volumes": one("secrets", object{"path": "/d"})}), "volumes", "is taken by the volume that keeps the secrets"},
		"network of nothing":          {container, with(object{"networks": set{"bridge"}}), "networks", "neither a service's id"},
		"memory below Docker's":       {container, with(object{"memory_mb": 1}), "memory_mb", "less than the 6 MiB"},
		"no memory at all":            {container, with(object{"memory_mb": 0}), "memory_mb", "leave it out for no limit"},
		"negative cpus":               {container, with(object{"cpus": -1}), "cpus", "cannot be negative"},
		"restart in words":            {container, with(object{"restart": "sometimes"}), "restart", "none of no, always"},
		"user with a space":           {container, with(object{"user": "a b"}), "user", "not a user"},
		"no time to stop":             {container, with(object{"stop_timeout": 0}), "stop_timeout", "not between 1 and"},
		"two health checks":           {container, health(object{"image": true, "tcp": object{"port": "http"}}), "health", "exactly one of http, tcp and image"},
		"no health check":             {container, health(object{"interval": "1s"}), "health", "exactly one of"},
		"health of an unknown port":   {container, health(object{"http": object{"port": "web"}}), "health", `There is no port "web" among ports: dns, http`},
		"health of a UDP port":        {container, health(object{"tcp": object{"port": "dns"}}), "health", "gives no answer"},
		"health path without a slash": {container, health(object{"http": object{"port": "http", "path": "health"}}), "health", "Invalid health.http.path"},
		"health URL for a path":       {container, health(object{"http": object{"port": "http", "path": "//host/x"}}), "health", "not a path such as /health"},
		"interval in words":           {container, health(object{"image": true, "interval": "often"}), "health", "Invalid health.interval"},
		"retries of none":             {container, health(object{"image": true, "retries": 0}), "health", "Invalid health.retries"},
		"order of no kind":            {container, with(object{"update": object{"order": "both"}}), "update", "neither start-first nor stop-first"},
		"start first on a fixed port": {container, with(object{"ports": one("http", object{"container": 80, "host": 81}), "update": object{"order": "start-first"}}), "update", "two containers cannot have the host port"},
		"negative drain":              {container, with(object{"update": object{"drain_seconds": -1}}), "update", "Invalid update.drain_seconds"},

		"port of Neo4j's name":       {chat, with(object{"ports": one("neo4j_bolt", object{"container": 80})}), "ports", "are those of Neo4j's endpoints"},
		"Neo4j's heap too large":     {chat, with(object{"neo4j": object{"heap_mb": 4096}}), "neo4j", "not enough for a heap"},
		"port of another's Neo4j":    {chat, with(object{"neo4j": object{"pipeline_id": "orch/orch/database/x", "http_port": 1}}), "neo4j", "no Neo4j of its own"},
		"pipeline without Neo4j":     {chat, with(object{"neo4j": object{"pipeline_id": "orch/orch/logs/x"}}), "neo4j", "has no Neo4j"},
		"id of no pipeline":          {chat, with(object{"neo4j": object{"pipeline_id": "x"}}), "neo4j", "is not of the form"},
		"Cloudflare without a token": {chat, with(object{"cloudflare": object{"zone": "example.com"}}), "cloudflare", "either token or token_wo"},
		"two tokens":                 {chat, cloudflare(object{"token_wo": "t", "token_wo_version": 1}), "cloudflare", "only one of token and token_wo"},
		"token from nowhere":         {chat, cloudflare(object{"token": object{}}), "cloudflare", "exactly one of env and file"},
		"record without a zone":      {chat, cloudflare(object{"record": "chat.example.com"}), "cloudflare", "it needs zone"},
		"record of another zone":     {chat, cloudflare(object{"zone": "example.com", "record": "chat.example.org"}), "cloudflare", "not a name in zone example.com"},
		"tunnel without an account":  {chat, cloudflare(object{"tunnel": "t"}), "cloudflare", "it needs account_id"},
		"account by name":            {chat, cloudflare(object{"account_id": "mine"}), "cloudflare", "32 hexadecimal digits"},
		"API without a scheme":       {chat, cloudflare(object{"api_url": "localhost"}), "cloudflare", "not an http or https URL"},
		"short password":             {chat, with(object{"neo4j": object{"password_wo": "short", "password_wo_version": 1}}), "neo4j.password_wo", "at least 8"},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			found := validateOf(t, test.kind, test.config)
			if len(found) != 1 || !strings.HasPrefix(found[0], test.path+": ") || !strings.Contains(strings.ToLower(found[0]), strings.ToLower(test.says)) {
				t.Errorf("got %q, want one diagnostic on %s that says %q", found, test.path, test.says)
			}
		})
	}
}
