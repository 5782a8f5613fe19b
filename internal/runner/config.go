package runner

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// Where Temporal is when nothing says otherwise.
const (
	DefaultAddress   = "127.0.0.1:7233"
	DefaultNamespace = "default"
)

// Defaults of Config.
const (
	DefaultDialTimeout = 10 * time.Second
	DefaultWorkerGrace = 10 * time.Second
)

// Config says how to reach Temporal. What is empty comes from the TEMPORAL_* environment, then from the profile of the
// configuration file, then from the defaults.
type Config struct {
	Address, Namespace, APIKey string
	// Profile and ConfigFile choose what is read of a temporal.toml.
	Profile, ConfigFile string
	// TLS switches TLS on, or off with Disabled; nil leaves it to environment and profile.
	TLS *TLS
	// Headers are gRPC metadata sent with every call.
	Headers map[string]string
	// WebUIURL is the base of links to runs; empty means that it is derived from the address where that is possible.
	WebUIURL string
	// TaskQueue is the queue of all services that name none themselves.
	TaskQueue string
	// Scope keeps the services of a configuration apart; empty means contract.DefaultScope.
	Scope string
	// KeyFile is the encryption key file. It must exist when it is named; the default one is used if it exists.
	KeyFile string
	// Flags is set by programs whose settings are flags, so that messages name these and not the provider's attributes.
	Flags bool
	// Identity names this process in histories; empty means the SDK's own.
	Identity string
	// Logger receives progress; nil discards it.
	Logger *slog.Logger
	// DialTimeout bounds every attempt to reach Temporal for the first time.
	DialTimeout time.Duration
	// WorkerGrace is how long the first task of a run may lie on its queue before somebody looks for a worker.
	WorkerGrace time.Duration
}

// TLS is the transport security of the connection to Temporal.
type TLS struct {
	CACertFile, CertFile, KeyFile, ServerName string
	// Disabled is for an API key or a profile that would otherwise switch TLS on.
	Disabled bool
}

// Resolved is what a Config came to be after environment, profile and defaults.
type Resolved struct {
	Address string
	// AddressSource says where Address was set, for example "the environment variable TEMPORAL_ADDRESS".
	AddressSource string
	Namespace     string
	// TLS is whether the connection is encrypted.
	TLS bool
	// ClientCert is whether the client has a certificate to show; ServerName is what the server's must be made out to.
	ClientCert bool
	ServerName string
	// WebUIURL is the base of links to runs, without a slash at the end; empty when none is known.
	WebUIURL string
	// KeyFile is the key file in use; empty when there is none.
	KeyFile string
	// Keyring holds its keys; nil when there is none.
	Keyring *secret.Keyring

	flagged bool
}

func (c Config) withDefaults() Config {
	if c.Scope == "" {
		c.Scope = contract.DefaultScope
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = DefaultDialTimeout
	}
	if c.WorkerGrace == 0 {
		c.WorkerGrace = DefaultWorkerGrace
	}
	return c
}

// ClientOptions resolves a Config into the options of a Temporal client. The worker uses it too, so that both ends read
// the same configuration and the same keys.
func ClientOptions(cfg Config) (client.Options, Resolved, error) {
	cfg = cfg.withDefaults()
	profile, resolved, err := resolve(cfg)
	if err != nil {
		return client.Options{}, Resolved{}, err
	}
	options, err := profile.ToClientOptions(envconfig.ToClientOptionsRequest{})
	if err != nil {
		return client.Options{}, Resolved{}, fmt.Errorf("configure the connection to Temporal: %w", err)
	}
	if resolved.KeyFile, resolved.Keyring, err = loadKeys(cfg.KeyFile); err != nil {
		return client.Options{}, Resolved{}, err
	}
	describeTLS(&resolved, options.ConnectionOptions.TLS)
	options.DataConverter = secret.DataConverter(resolved.Keyring)
	options.FailureConverter = secret.FailureConverter(resolved.Keyring)
	options.Identity = cfg.Identity
	options.Logger = log.NewStructuredLogger(cfg.Logger)
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions, reconnectQuickly())
	return options, resolved, nil
}

// describeTLS keeps what messages about a failed handshake need.
func describeTLS(resolved *Resolved, config *tls.Config) {
	if config == nil {
		return
	}
	resolved.TLS = true
	resolved.ClientCert = len(config.Certificates) > 0 || config.GetClientCertificate != nil
	resolved.ServerName = firstNonEmpty(config.ServerName, hostOf(resolved.Address))
}

// reconnectQuickly keeps gRPC from waiting up to 10 s before it notices that a restarted server is back.
func reconnectQuickly() grpc.DialOption {
	params := grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 5 * time.Second}
	params.Backoff.BaseDelay = 200 * time.Millisecond
	params.Backoff.MaxDelay = 2 * time.Second
	return grpc.WithConnectParams(params)
}

// resolve applies attribute, environment, file and default, in this order.
func resolve(cfg Config) (envconfig.ClientConfigProfile, Resolved, error) {
	if cfg.ConfigFile != "" {
		// The SDK takes a missing file for an empty one, whoever named it.
		if _, err := os.Stat(cfg.ConfigFile); err != nil {
			return envconfig.ClientConfigProfile{}, Resolved{}, fmt.Errorf("read config_file: %w", err)
		}
	}
	profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{
		ConfigFilePath: cfg.ConfigFile, ConfigFileProfile: cfg.Profile,
	})
	if err != nil {
		return profile, Resolved{}, fmt.Errorf("read Temporal configuration: %w; look at config_file and profile, or TEMPORAL_CONFIG_FILE and TEMPORAL_PROFILE", err)
	}
	source := applyAddress(&profile, cfg)
	if err := checkAddress(profile.Address, source); err != nil {
		return profile, Resolved{}, err
	}
	profile.Namespace = firstNonEmpty(cfg.Namespace, profile.Namespace, DefaultNamespace)
	profile.APIKey = firstNonEmpty(cfg.APIKey, profile.APIKey)
	applyTLS(&profile, cfg.TLS)
	if err := applyHeaders(&profile, cfg.Headers); err != nil {
		return profile, Resolved{}, err
	}
	return profile, Resolved{
		Address: profile.Address, AddressSource: source, Namespace: profile.Namespace,
		WebUIURL: webUIURL(cfg.WebUIURL, profile.Address), flagged: cfg.Flags,
	}, nil
}

func applyAddress(profile *envconfig.ClientConfigProfile, cfg Config) (source string) {
	switch {
	case cfg.Address != "":
		profile.Address = cfg.Address
		if cfg.Flags {
			return "the flag --address"
		}
		return "the attribute address"
	case profile.Address == "":
		profile.Address = DefaultAddress
		return "the default, because nothing is configured"
	case os.Getenv("TEMPORAL_ADDRESS") != "":
		return "the environment variable TEMPORAL_ADDRESS"
	default:
		return fmt.Sprintf("profile %q of %s",
			firstNonEmpty(cfg.Profile, os.Getenv("TEMPORAL_PROFILE"), envconfig.DefaultConfigFileProfile),
			firstNonEmpty(cfg.ConfigFile, os.Getenv("TEMPORAL_CONFIG_FILE"), envconfig.DefaultConfigFilePath()))
	}
}

// checkAddress tells a URL and a missing port from an address: gRPC would try in vain, and say nothing of why. Its own forms,
// such as dns:///host:port, are let through.
func checkAddress(address, source string) error {
	const form = "such as temporal.example.com:7233, where 7233 is Temporal's gRPC port and not the Web UI's"
	scheme, _, named := strings.Cut(address, "://")
	if named && (scheme == "http" || scheme == "https") {
		return fmt.Errorf("address %q (from %s) is a URL: give host and port alone, %s", address, source, form)
	}
	if _, _, err := net.SplitHostPort(address); err != nil && !named {
		return fmt.Errorf("address %q (from %s) is not of the form host:port, %s", address, source, form)
	}
	return nil
}

// applyTLS lays the attributes over the profile; a file replaces what the profile has inline.
func applyTLS(profile *envconfig.ClientConfigProfile, cfg *TLS) {
	if cfg == nil {
		return
	}
	var merged envconfig.ClientConfigTLS
	if profile.TLS != nil {
		merged = *profile.TLS
	}
	merged.Disabled = cfg.Disabled
	if cfg.CACertFile != "" {
		merged.ServerCACertPath, merged.ServerCACertData = cfg.CACertFile, nil
	}
	if cfg.CertFile != "" {
		merged.ClientCertPath, merged.ClientCertData = cfg.CertFile, nil
	}
	if cfg.KeyFile != "" {
		merged.ClientKeyPath, merged.ClientKeyData = cfg.KeyFile, nil
	}
	merged.ServerName = firstNonEmpty(cfg.ServerName, merged.ServerName)
	profile.TLS = &merged
}

// ValidateHeader tells whether gRPC can send a header.
func ValidateHeader(name, value string) error {
	key := envconfig.NormalizeGRPCMetaKey(name)
	switch {
	case key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "":
		return fmt.Errorf("header name %q is not possible: use letters, digits, hyphens and dots", name)
	case strings.HasPrefix(key, "grpc-"):
		return fmt.Errorf("header name %q is not possible: names that begin with grpc- belong to the protocol", name)
	case strings.HasSuffix(key, "-bin"):
		return fmt.Errorf("header name %q is not possible: names that end in -bin are for binary values", name)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Errorf("the value of header %q is not possible: use printable ASCII characters", name)
	default:
		return nil
	}
}

// applyHeaders lays the headers over those of environment and profile.
func applyHeaders(profile *envconfig.ClientConfigProfile, headers map[string]string) error {
	if len(headers) == 0 {
		return nil
	}
	meta := maps.Clone(profile.GRPCMeta)
	if meta == nil {
		meta = map[string]string{}
	}
	for name, value := range headers {
		if err := ValidateHeader(name, value); err != nil {
			return err
		}
		meta[envconfig.NormalizeGRPCMetaKey(name)] = value
	}
	profile.GRPCMeta = meta
	return nil
}

func loadKeys(named string) (path string, keyring *secret.Keyring, err error) {
	path = named
	if path == "" {
		path = secret.DefaultKeyFile()
	}
	keyring, err = secret.LoadKeyring(path)
	if named == "" && os.Getenv(secret.EnvKeyFile) == "" && errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	return path, keyring, err
}

// webUIURL derives where the Web UI is: `orch-worker dev` and the Temporal CLI serve it 1000 ports above the frontend.
func webUIURL(configured, address string) string {
	if configured != "" {
		return strings.TrimRight(configured, "/")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	if strings.HasSuffix(host, ".tmprl.cloud") || strings.HasSuffix(host, "api.temporal.io") {
		return "https://cloud.temporal.io"
	}
	number, err := strconv.Atoi(port)
	if err != nil || !isLoopback(host) || number+1000 > 65535 {
		return ""
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(number+1000))
}

// hostOf is the host part of an address, for telling loopback from the rest.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func firstNonEmpty(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
