package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// dockerAPI is all that the package asks of the Docker SDK, so that another client can take its place here.
type dockerAPI interface {
	Info(ctx context.Context) (system.Info, error)
	Ping(ctx context.Context) (types.Ping, error)
	ServerVersion(ctx context.Context) (types.Version, error)
	ClientVersion() string
	DaemonHost() string
	Close() error

	ContainerList(ctx context.Context, options container.ListOptions) ([]container.Summary, error)
	ContainerInspect(ctx context.Context, id string) (container.InspectResponse, error)
	ContainerCreate(ctx context.Context, config *container.Config, host *container.HostConfig, networking *network.NetworkingConfig, platform *ocispec.Platform, name string) (container.CreateResponse, error)
	ContainerStart(ctx context.Context, id string, options container.StartOptions) error
	ContainerStop(ctx context.Context, id string, options container.StopOptions) error
	ContainerKill(ctx context.Context, id, signal string) error
	ContainerUnpause(ctx context.Context, id string) error
	ContainerRename(ctx context.Context, id, name string) error
	ContainerRemove(ctx context.Context, id string, options container.RemoveOptions) error
	ContainerWait(ctx context.Context, id string, condition container.WaitCondition) (<-chan container.WaitResponse, <-chan error)
	Events(ctx context.Context, options events.ListOptions) (<-chan events.Message, <-chan error)
	ContainerLogs(ctx context.Context, id string, options container.LogsOptions) (io.ReadCloser, error)
	ContainerStatPath(ctx context.Context, id, path string) (container.PathStat, error)
	CopyToContainer(ctx context.Context, id, path string, content io.Reader, options container.CopyToContainerOptions) error
	CopyFromContainer(ctx context.Context, id, path string) (io.ReadCloser, container.PathStat, error)

	ImageInspect(ctx context.Context, ref string, options ...client.ImageInspectOption) (image.InspectResponse, error)
	ImagePull(ctx context.Context, ref string, options image.PullOptions) (io.ReadCloser, error)
	ImageList(ctx context.Context, options image.ListOptions) ([]image.Summary, error)
	ImageBuild(ctx context.Context, source io.Reader, options build.ImageBuildOptions) (build.ImageBuildResponse, error)
	ImageRemove(ctx context.Context, ref string, options image.RemoveOptions) ([]image.DeleteResponse, error)
	DialHijack(ctx context.Context, url, proto string, meta map[string][]string) (net.Conn, error)

	NetworkInspect(ctx context.Context, name string, options network.InspectOptions) (network.Inspect, error)
	NetworkList(ctx context.Context, options network.ListOptions) ([]network.Summary, error)
	NetworkCreate(ctx context.Context, name string, options network.CreateOptions) (network.CreateResponse, error)
	NetworkRemove(ctx context.Context, name string) error
	NetworkConnect(ctx context.Context, name, id string, config *network.EndpointSettings) error
	NetworkDisconnect(ctx context.Context, name, id string, force bool) error

	VolumeCreate(ctx context.Context, options volume.CreateOptions) (volume.Volume, error)
	VolumeInspect(ctx context.Context, name string) (volume.Volume, error)
	VolumeList(ctx context.Context, options volume.ListOptions) (volume.ListResponse, error)
	VolumeRemove(ctx context.Context, name string, force bool) error
}

// Rotator tells the component that answers at baseURL that secret s changes from one value to another. It is idempotent:
// where the new value is in force already, it does nothing.
type Rotator func(ctx context.Context, baseURL string, s contract.Secret, from, to string) error

// Options configure New.
type Options struct {
	// Host is the address of the Docker Engine; empty means DOCKER_HOST, else the local socket.
	Host string
	// Logger receives what a person who watches a worker wants to know; nil discards it.
	Logger *slog.Logger
	// Rotate holds how secrets that live in a component's own data are changed.
	Rotate map[contract.Rotation]Rotator
	// Resolve returns the value of a reference to a variable or a file of the worker's host, or a *contract.StepFailure; nil
	// refuses all. References to other services' secrets are the engine's own.
	Resolve func(source contract.SecretSource) (string, error)
}

// Engine drives one Docker Engine. Its methods may be called at the same time.
type Engine struct {
	api    dockerAPI
	log    *slog.Logger
	rotate map[contract.Rotation]Rotator
	probes *http.Client
	// resolve is Options.Resolve.
	resolve func(source contract.SecretSource) (string, error)

	mu      sync.Mutex
	id      string
	idUntil time.Time
}

// New makes an Engine. It does not connect: an engine that is down shows with the first call.
func New(opts Options) (*Engine, error) {
	host := opts.Host
	if host == "" {
		host = os.Getenv(client.EnvOverrideHost)
	}
	if strings.HasPrefix(host, "ssh://") {
		return nil, badHost(host, "ssh is not spoken", fmt.Sprintf(
			"forward the engine's socket: `ssh -NL /tmp/docker.sock:/var/run/docker.sock %s`, and set DOCKER_HOST=unix:///tmp/docker.sock",
			strings.TrimPrefix(host, "ssh://")))
	}
	settings := []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()}
	if opts.Host != "" {
		settings = append(settings, client.WithHost(opts.Host))
	}
	api, err := client.NewClientWithOpts(settings...)
	if err != nil {
		return nil, badHost(host, err.Error(), "set DOCKER_HOST to unix:///var/run/docker.sock or tcp://<host>:<port>")
	}
	log := opts.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Engine{api: api, log: log, rotate: opts.Rotate, resolve: opts.Resolve, probes: newProbeClient()}, nil
}

func badHost(host, why, hint string) *contract.StepFailure {
	return contract.Fail(contract.InvalidInput, "the Docker Engine address %q cannot be used: %s", host, why).Next("%s", hint)
}

// Close gives back the connections to the engine.
func (e *Engine) Close() error { return e.api.Close() }

// newProbeClient asks components directly: a proxy from the environment must not come between, and a connection kept alive
// would outlive the container it led to.
func newProbeClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{Timeout: time.Second}).DialContext,
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
