package engine

import (
	"context"
	"time"

	"github.com/containerd/errdefs"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// idLifetime is how long the engine's ID is taken as known: one apply asks for it in every activity, and an engine does
// not change its identity in between.
const idLifetime = 10 * time.Second

// Info is what a person wants to know about a Docker Engine.
type Info struct {
	ID            string
	Name          string
	Version       string
	APIVersion    string
	OS            string
	Arch          string
	RootDir       string
	StorageDriver string
	// Host is the address that the engine was reached at.
	Host string
}

// Info asks the engine about itself.
func (e *Engine) Info(ctx context.Context) (Info, error) {
	info, err := e.api.Info(ctx)
	if err != nil {
		return Info{}, e.fail(ctx, err, "ask the Docker Engine for its identity")
	}
	return Info{
		ID: info.ID, Name: info.Name, Version: info.ServerVersion, APIVersion: e.api.ClientVersion(), OS: info.OSType,
		Arch: info.Architecture, RootDir: info.DockerRootDir, StorageDriver: info.Driver, Host: e.api.DaemonHost(),
	}, nil
}

// ImagePresent reports whether the engine has the image, without pulling it.
func (e *Engine) ImagePresent(ctx context.Context, ref string) (bool, error) {
	_, err := e.api.ImageInspect(ctx, ref)
	switch {
	case err == nil:
		return true, nil
	case errdefs.IsNotFound(err):
		return false, nil
	default:
		return false, e.fail(ctx, err, "look for image %s", ref)
	}
}

// check returns the engine's ID, and a WrongEngine failure when want names another one.
func (e *Engine) check(ctx context.Context, want string) (string, error) {
	id, err := e.identity(ctx)
	if err == nil && want != "" && want != id {
		failure := contract.Fail(contract.WrongEngine,
			"the service lives on Docker Engine %s, and this worker drives %s at %s", want, id, e.api.DaemonHost())
		failure.Hint = "start a worker for this task queue where `docker info --format '{{.ID}}'` prints " + want
		return id, failure
	}
	return id, err
}

// identity is the engine's ID. Who asks waits for no one else's question: an engine may hang, and each has a time of its own.
func (e *Engine) identity(ctx context.Context) (string, error) {
	e.mu.Lock()
	id, known := e.id, time.Now().Before(e.idUntil)
	e.mu.Unlock()
	if known {
		return id, nil
	}
	info, err := e.api.Info(ctx)
	if err != nil {
		return "", e.fail(ctx, err, "ask the Docker Engine for its identity")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.id, e.idUntil = info.ID, time.Now().Add(idLifetime)
	return info.ID, nil
}
