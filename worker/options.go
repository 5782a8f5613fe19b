package worker

import (
	"errors"
	"log/slog"
	"slices"
	"time"

	"go.temporal.io/sdk/worker"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/secret"
)

// Registry takes workflows and activities; every worker of the Temporal SDK is one.
type Registry = worker.Registry

// DefaultMaxConcurrency is how many activities a worker runs at the same time when nothing else is said.
const DefaultMaxConcurrency = 20

// DefaultStopTimeout is how long running activities may go on after a stop was asked for.
const DefaultStopTimeout = 30 * time.Second

// Options configures a worker. The zero value connects to 127.0.0.1:7233 and lacks only a queue.
type Options struct {
	// Connection tells where Temporal is.
	Connection Connection
	// ServiceNames are polled on their default queues, "<service_name>-queue". TaskQueues are polled as they are.
	ServiceNames, TaskQueues []string
	// MaxConcurrency bounds the activities that run at the same time, over all queues; 0 means DefaultMaxConcurrency.
	MaxConcurrency int
	// MetricsAddress serves /healthz and /metrics when not empty, for example "127.0.0.1:9464".
	MetricsAddress string
	// StopTimeout is how long running activities may go on after a stop; 0 means DefaultStopTimeout. The bundled ones hand their
	// step back after 20 s.
	StopTimeout time.Duration
	// DockerHost is the Docker Engine's address; empty means DOCKER_HOST, else the local socket.
	DockerHost string
	// SecretEnv and SecretFiles extend what configurations may refer to as secrets: names of environment variables, which may
	// end in *, and files or directories. The platforms' own variables and ORCH_SECRET_* are always allowed.
	SecretEnv, SecretFiles []string
	// DataDir is where the worker keeps what must outlive it, for example how far logs were shipped; empty means
	// $XDG_DATA_HOME/orch, else ~/.local/share/orch.
	DataDir string
	// Logger receives what happens; nil means slog.Default().
	Logger *slog.Logger
	// Register adds workflows and activities of your own to every queue.
	Register func(Registry)
}

// Connection tells where Temporal is and how to get in. What is empty comes from the TEMPORAL_* environment variables, then
// from the profile in the configuration file, as in every Temporal SDK.
type Connection struct {
	Address, Namespace, APIKey string
	// Profile and ConfigFile choose a profile of a temporal.toml.
	Profile, ConfigFile string
	// TLS is for servers that require it; nil leaves it to the environment and the profile.
	TLS *TLS
	// Headers are gRPC metadata sent with every call, for example for a gateway before Temporal.
	Headers map[string]string
	// Flags is set by a command whose settings are flags: messages then name these.
	Flags bool
	// EncryptionKeyFile holds the keys that secrets travel under; empty means the default file, if it exists.
	EncryptionKeyFile string
}

// TLS names certificate files in PEM form.
type TLS struct {
	CACertFile, ClientCertFile, ClientKeyFile, ServerName string
	// Disabled is for an API key or a profile that would otherwise switch TLS on.
	Disabled bool
}

func (o *Options) setDefaults() {
	if o.MaxConcurrency == 0 {
		o.MaxConcurrency = DefaultMaxConcurrency
	}
	if o.StopTimeout == 0 {
		o.StopTimeout = DefaultStopTimeout
	}
	if o.DataDir == "" {
		o.DataDir = secret.DefaultDataDir()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
}

// allowList says which references to secrets the worker resolves.
func (o Options) allowList() secret.AllowList {
	list := secret.DefaultAllowList()
	list.Env, list.Files = append(list.Env, o.SecretEnv...), append(list.Files, o.SecretFiles...)
	return list
}

// queues lists the queues to poll, each once.
func (o Options) queues() ([]string, error) {
	queues := slices.Clone(o.TaskQueues)
	for _, name := range o.ServiceNames {
		if err := contract.ValidateServiceName(name); err != nil {
			return nil, err
		}
		queues = append(queues, contract.TaskQueue(name))
	}
	slices.Sort(queues)
	queues = slices.Compact(queues)
	if len(queues) == 0 {
		return nil, errors.New("no queue to poll: name a service (--service-name app polls app-queue) or a queue (--task-queue NAME)")
	}
	if slices.Contains(queues, "") {
		return nil, errors.New("a task queue's name cannot be empty")
	}
	return queues, nil
}

// Config is the connection in the form that provider and worker share.
func (c Connection) Config(logger *slog.Logger) runner.Config {
	config := runner.Config{
		Address: c.Address, Namespace: c.Namespace, APIKey: c.APIKey, Profile: c.Profile, ConfigFile: c.ConfigFile,
		KeyFile: c.EncryptionKeyFile, Headers: c.Headers, Flags: c.Flags, Logger: logger,
	}
	if c.TLS != nil {
		config.TLS = &runner.TLS{
			CACertFile: c.TLS.CACertFile, CertFile: c.TLS.ClientCertFile, KeyFile: c.TLS.ClientKeyFile,
			ServerName: c.TLS.ServerName, Disabled: c.TLS.Disabled,
		}
	}
	return config
}
