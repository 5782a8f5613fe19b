package provider_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/provider"
	"github.com/temporal-orchestrator/terraform-provider-orch/resources"
)

// server is the provider in this process with a connection that goes nowhere.
func server(t *testing.T, connect provider.Connect) (tfprotov6.ProviderServer, tftypes.Object, map[string]*tfprotov6.Schema) {
	t.Helper()
	s, err := providerserver.NewProtocol6WithError(provider.NewWith("1.2.3", connect)())()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := s.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(schemas.Diagnostics) > 0 {
		t.Fatalf("schema: %v", schemas.Diagnostics)
	}
	typ, ok := schemas.Provider.ValueType().(tftypes.Object)
	if !ok {
		t.Fatal("the provider's configuration is not an object")
	}
	return s, typ, schemas.ResourceSchemas
}

// config is a provider block; what values does not name is null.
func config(t *testing.T, typ tftypes.Object, values map[string]tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	all := map[string]tftypes.Value{}
	for name, attribute := range typ.AttributeTypes {
		all[name] = tftypes.NewValue(attribute, nil)
	}
	for name, value := range values {
		all[name] = value
	}
	value, err := tfprotov6.NewDynamicValue(typ, tftypes.NewValue(typ, all))
	if err != nil {
		t.Fatal(err)
	}
	return &value
}

func text(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }

func tlsBlock(typ tftypes.Object, values map[string]tftypes.Value) tftypes.Value {
	object, ok := typ.AttributeTypes["tls"].(tftypes.Object)
	if !ok {
		panic("tls is not an object")
	}
	all := map[string]tftypes.Value{}
	for name, attribute := range object.AttributeTypes {
		all[name] = tftypes.NewValue(attribute, nil)
	}
	for name, value := range values {
		all[name] = value
	}
	return tftypes.NewValue(object, all)
}

func headers(values map[string]tftypes.Value) tftypes.Value {
	return tftypes.NewValue(tftypes.Map{ElementType: tftypes.String}, values)
}

func messages(diagnostics []*tfprotov6.Diagnostic) string {
	var all []string
	for _, d := range diagnostics {
		all = append(all, fmt.Sprintf("%s: %s: %s", d.Attribute, d.Summary, d.Detail))
	}
	return strings.Join(all, "\n")
}

func TestConfigurationReachesTheRunner(t *testing.T) {
	var got runner.Config
	s, typ, _ := server(t, func(cfg runner.Config) (resources.Runner, error) { got = cfg; return nil, nil })
	resp, err := s.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{Config: config(t, typ, map[string]tftypes.Value{
		"address": text("a:1"), "namespace": text("n"), "api_key": text("k"), "profile": text("p"), "config_file": text("f"),
		"web_ui_url": text("w"), "task_queue": text("q"), "scope": text("s"), "encryption_key_file": text("e"),
		"tls": tlsBlock(typ, map[string]tftypes.Value{
			"ca_cert_file": text("ca"), "client_cert_file": text("cert"), "client_key_file": text("key"), "server_name": text("sn"),
			"disabled": tftypes.NewValue(tftypes.Bool, false),
		}),
		"headers": headers(map[string]tftypes.Value{"x-team": text("observability")}),
	})})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatal(err, messages(resp.Diagnostics))
	}
	tls := got.TLS
	got.TLS, got.Logger = nil, nil
	want := runner.Config{
		Address: "a:1", Namespace: "n", APIKey: "k", Profile: "p", ConfigFile: "f", WebUIURL: "w", TaskQueue: "q", Scope: "s", KeyFile: "e",
		Headers: map[string]string{"x-team": "observability"}, Identity: "terraform-provider-orch/1.2.3",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if wantTLS := (runner.TLS{CACertFile: "ca", CertFile: "cert", KeyFile: "key", ServerName: "sn"}); tls == nil || *tls != wantTLS {
		t.Errorf("tls is %+v, want %+v", tls, wantTLS)
	}
}

func TestNothingConfiguredLeavesEverythingToTheRunner(t *testing.T) {
	var got runner.Config
	s, typ, _ := server(t, func(cfg runner.Config) (resources.Runner, error) { got = cfg; return nil, nil })
	if _, err := s.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{Config: config(t, typ, nil)}); err != nil {
		t.Fatal(err)
	}
	got.Logger = nil
	if want := (runner.Config{Identity: "terraform-provider-orch/1.2.3"}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v", got)
	}
}

func TestUnknownValuePostponesTheConnection(t *testing.T) {
	s, typ, _ := server(t, func(runner.Config) (resources.Runner, error) { t.Error("connected"); return nil, nil })
	resp, err := s.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{Config: config(t, typ, map[string]tftypes.Value{
		"address": tftypes.NewValue(tftypes.String, tftypes.UnknownValue),
	})})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatal(err, messages(resp.Diagnostics))
	}
}

func TestWrongConfigurationIsReported(t *testing.T) {
	s, typ, _ := server(t, func(runner.Config) (resources.Runner, error) {
		return nil, errors.New("read config_file: no such file")
	})
	resp, err := s.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{Config: config(t, typ, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if got := messages(resp.Diagnostics); !strings.Contains(got, "Read config_file: no such file.") {
		t.Errorf("got %q", got)
	}
}

func TestProviderBlockIsValidated(t *testing.T) {
	s, typ, _ := server(t, func(runner.Config) (resources.Runner, error) { return nil, nil })
	for reason, test := range map[string]struct {
		values map[string]tftypes.Value
		says   string
	}{
		"nothing":                 {nil, ""},
		"plain TLS":               {map[string]tftypes.Value{"tls": tlsBlock(typ, nil)}, ""},
		"scope with a hyphen":     {map[string]tftypes.Value{"scope": text("team-a")}, `Scope "team-a" is not valid`},
		"scope of 33 characters":  {map[string]tftypes.Value{"scope": text(strings.Repeat("a", 33))}, "is not valid"},
		"empty address":           {map[string]tftypes.Value{"address": text("")}, "at least 1"},
		"Web UI without a scheme": {map[string]tftypes.Value{"web_ui_url": text("temporal.example.com:8080")}, "must begin with http:// or https://"},
		"Web UI":                  {map[string]tftypes.Value{"web_ui_url": text("http://127.0.0.1:8080")}, ""},
		"certificate without key": {map[string]tftypes.Value{"tls": tlsBlock(typ, map[string]tftypes.Value{"client_cert_file": text("c")})}, "client_key_file"},
		"header":                  {map[string]tftypes.Value{"headers": headers(map[string]tftypes.Value{"X_Team": text("a b")})}, ""},
		"header of the protocol":  {map[string]tftypes.Value{"headers": headers(map[string]tftypes.Value{"grpc-x": text("1")})}, "belong to the protocol"},
		"header of two lines":     {map[string]tftypes.Value{"headers": headers(map[string]tftypes.Value{"x": text("1\n2")})}, "printable ASCII"},
		"header without a value":  {map[string]tftypes.Value{"headers": headers(map[string]tftypes.Value{"x": tftypes.NewValue(tftypes.String, nil)})}, "has no value"},
		"TLS disabled and configured": {map[string]tftypes.Value{"tls": tlsBlock(typ, map[string]tftypes.Value{
			"ca_cert_file": text("c"), "disabled": tftypes.NewValue(tftypes.Bool, true),
		})}, "both disabled and configured"},
	} {
		t.Run(reason, func(t *testing.T) {
			resp, err := s.ValidateProviderConfig(context.Background(), &tfprotov6.ValidateProviderConfigRequest{Config: config(t, typ, test.values)})
			if err != nil {
				t.Fatal(err)
			}
			if got := messages(resp.Diagnostics); !strings.Contains(got, test.says) || (got == "") != (test.says == "") {
				t.Errorf("got %q, want %q", got, test.says)
			}
		})
	}
}

// Descriptions are the only user documentation, so every attribute needs one, and those that may be left out tell what
// happens then.
func TestEveryAttributeIsDescribed(t *testing.T) {
	_, _, schemas := server(t, func(runner.Config) (resources.Runner, error) { return nil, nil })
	var walk func(path string, attributes []*tfprotov6.SchemaAttribute)
	walk = func(path string, attributes []*tfprotov6.SchemaAttribute) {
		for _, a := range attributes {
			name := path + a.Name
			if !strings.HasSuffix(a.Description, ".") {
				t.Errorf("%s: %q is not a sentence", name, a.Description)
			}
			// The version of a write-only value has no meaning of its own.
			if a.Optional && !strings.Contains(a.Description, "Default: ") && !strings.HasSuffix(name, "_wo_version") {
				t.Errorf("%s does not tell its default: %q", name, a.Description)
			}
			if a.NestedType != nil {
				walk(name+".", a.NestedType.Attributes)
			}
		}
	}
	if len(schemas) != len(resources.All()) {
		t.Errorf("%d schemas of %d resources", len(schemas), len(resources.All()))
	}
	for name, schema := range schemas {
		walk(name+".", schema.Block.Attributes)
	}
}

func TestTheRealRunnerDoesNotDial(t *testing.T) {
	s, err := providerserver.NewProtocol6WithError(provider.New("1.2.3")())()
	if err != nil {
		t.Fatal(err)
	}
	_, typ, _ := server(t, func(runner.Config) (resources.Runner, error) { return nil, nil })
	// Port 1 of the loopback address refuses every connection.
	resp, err := s.ConfigureProvider(context.Background(), &tfprotov6.ConfigureProviderRequest{
		Config: config(t, typ, map[string]tftypes.Value{"address": text("127.0.0.1:1")}),
	})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatal(err, messages(resp.Diagnostics))
	}
}
