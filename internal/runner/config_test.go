package runner

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

func keyFile(t *testing.T, id string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "encryption.key")
	line := id + ":" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(id[:1], 32)))
	require.NoError(t, os.WriteFile(path, []byte(line), 0o600))
	return path
}

const profiles = `
[profile.default]
address = "file.example:7233"
namespace = "from-file"
[profile.cloud]
address = "ns.acct.tmprl.cloud:7233"
namespace = "ns.acct"
api_key = "k"
`

func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(file, []byte(profiles), 0o600))
	for name, tc := range map[string]struct {
		cfg    Config
		env    map[string]string
		want   Resolved
		source string
	}{
		"nothing anywhere": {
			want: Resolved{Address: "127.0.0.1:7233", Namespace: "default", WebUIURL: "http://127.0.0.1:8233"}, source: "the default",
		},
		"file": {
			cfg:  Config{ConfigFile: file},
			want: Resolved{Address: "file.example:7233", Namespace: "from-file"}, source: `profile "default" of ` + file,
		},
		"file named by the environment": {
			env:  map[string]string{"TEMPORAL_CONFIG_FILE": file, "TEMPORAL_PROFILE": "cloud"},
			want: Resolved{Address: "ns.acct.tmprl.cloud:7233", Namespace: "ns.acct", TLS: true, ServerName: "ns.acct.tmprl.cloud", WebUIURL: "https://cloud.temporal.io"}, source: `profile "cloud" of ` + file,
		},
		"environment over file": {
			cfg:  Config{ConfigFile: file},
			env:  map[string]string{"TEMPORAL_ADDRESS": "env.example:7233"},
			want: Resolved{Address: "env.example:7233", Namespace: "from-file"}, source: "the environment variable TEMPORAL_ADDRESS",
		},
		"attribute over both": {
			cfg:  Config{ConfigFile: file, Address: "attr.example:7233", Namespace: "attr", WebUIURL: "https://ui.example/"},
			env:  map[string]string{"TEMPORAL_ADDRESS": "env.example:7233", "TEMPORAL_NAMESPACE": "env"},
			want: Resolved{Address: "attr.example:7233", Namespace: "attr", WebUIURL: "https://ui.example"}, source: "the attribute address",
		},
		"profile": {
			cfg:  Config{ConfigFile: file, Profile: "cloud"},
			want: Resolved{Address: "ns.acct.tmprl.cloud:7233", Namespace: "ns.acct", TLS: true, ServerName: "ns.acct.tmprl.cloud", WebUIURL: "https://cloud.temporal.io"}, source: `profile "cloud"`,
		},
		"TLS off next to an API key": {
			cfg:  Config{ConfigFile: file, Profile: "cloud", TLS: &TLS{Disabled: true}},
			want: Resolved{Address: "ns.acct.tmprl.cloud:7233", Namespace: "ns.acct", WebUIURL: "https://cloud.temporal.io"}, source: `profile "cloud"`,
		},
		"API key switches TLS on": {
			cfg:  Config{Address: "eu-west-1.aws.api.temporal.io:7233", APIKey: "k"},
			want: Resolved{Address: "eu-west-1.aws.api.temporal.io:7233", Namespace: "default", TLS: true, ServerName: "eu-west-1.aws.api.temporal.io", WebUIURL: "https://cloud.temporal.io"}, source: "the attribute address",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for k, v := range tc.env {
				t.Setenv(k, v)
			}
			options, got, err := ClientOptions(tc.cfg)
			require.NoError(t, err)
			require.Contains(t, got.AddressSource, tc.source)
			got.AddressSource = ""
			require.Equal(t, tc.want, got)
			require.Equal(t, got.Address, options.HostPort)
			require.Equal(t, got.Namespace, options.Namespace)
			require.Equal(t, got.TLS, options.ConnectionOptions.TLS != nil)
		})
	}
}

func TestConfigurationThatCannotBeUsed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	file := filepath.Join(t.TempDir(), "temporal.toml")
	require.NoError(t, os.WriteFile(file, []byte(profiles), 0o600))
	for name, tc := range map[string]struct {
		cfg Config
		err string
	}{
		"URL for an address":   {Config{Address: "http://temporal.example:7233/x"}, `"http://temporal.example:7233/x" (from the attribute address) is a URL: give host and port alone`},
		"address without port": {Config{Address: "temporal.example"}, `"temporal.example" (from the attribute address) is not of the form host:port`},
		"config file missing":  {Config{ConfigFile: missing}, "read config_file: stat " + missing},
		"profile missing":      {Config{ConfigFile: file, Profile: "nope"}, "unable to find profile nope"},
		"key file missing":     {Config{KeyFile: missing}, "encryption key file: stat " + missing},
		"certificate missing":  {Config{TLS: &TLS{CertFile: missing, KeyFile: missing}}, missing},
		"certificate sans key": {Config{TLS: &TLS{CertFile: missing}}, "other must be present too"},
		"CA missing":           {Config{TLS: &TLS{CACertFile: missing}}, missing},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(tc.cfg)
			require.ErrorContains(t, err, tc.err)
		})
	}
}

func TestKeyFileThatIsUsed(t *testing.T) {
	named := keyFile(t, "named")
	t.Run("named", func(t *testing.T) {
		_, got, err := ClientOptions(Config{KeyFile: named})
		require.NoError(t, err)
		require.Equal(t, "named", got.Keyring.WriteKeyID())
		require.Equal(t, named, got.KeyFile)
	})
	t.Run("default, when it is there", func(t *testing.T) {
		t.Setenv("XDG_DATA_HOME", t.TempDir())
		_, got, err := ClientOptions(Config{})
		require.NoError(t, err)
		require.Nil(t, got.Keyring)
		require.Empty(t, got.KeyFile)
		require.NoError(t, secret.EnsureKeyFile(secret.DefaultKeyFile()))
		_, got, err = ClientOptions(Config{})
		require.NoError(t, err)
		require.NotNil(t, got.Keyring)
	})
	t.Run("named by the environment and missing", func(t *testing.T) {
		t.Setenv(secret.EnvKeyFile, filepath.Join(t.TempDir(), "missing"))
		_, _, err := ClientOptions(Config{})
		require.ErrorIs(t, err, os.ErrNotExist)
	})
}

func TestWebUIURL(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:7233":    "http://127.0.0.1:8233",
		"localhost:17233":   "http://localhost:18233",
		"[::1]:7233":        "http://[::1]:8233",
		"10.0.0.1:7233":     "",
		"127.0.0.1:65000":   "",
		"temporal.example":  "",
		"a.b.tmprl.cloud:1": "https://cloud.temporal.io",
	} {
		require.Equal(t, want, webUIURL("", address), address)
	}
}

func TestQueue(t *testing.T) {
	c, err := New(Config{})
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, "app-queue", c.Queue("", "app"))
	require.Equal(t, "mine", c.Queue("mine", "app"))
	p, err := New(Config{TaskQueue: "all"})
	require.NoError(t, err)
	defer p.Close()
	require.Equal(t, "all", p.Queue("", "app"))
	require.Equal(t, "mine", p.Queue("mine", "app"))
}

func TestHeaders(t *testing.T) {
	t.Setenv("TEMPORAL_GRPC_META_X_TEAM", "from-env")
	t.Setenv("TEMPORAL_GRPC_META_X_OTHER", "kept")
	options, _, err := ClientOptions(Config{Headers: map[string]string{"X_Team": "from-attribute"}})
	require.NoError(t, err)
	headers, err := options.HeadersProvider.GetHeaders(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"x-team": "from-attribute", "x-other": "kept"}, headers)

	for name, value := range map[string]string{
		"": "v", "with space": "v", "grpc-timeout": "1S", "token-bin": "v", "x-team": "two\nlines", "x-name": "Zoë", ":authority": "v",
	} {
		_, _, err := ClientOptions(Config{Headers: map[string]string{name: value}})
		require.ErrorContains(t, err, "is not possible", "%q=%q", name, value)
	}
}
