package activities

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/buildcontext"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// BuildImage builds a component's image from the context that the plan saw, unless the engine has it.
func (d *Docker) BuildImage(ctx context.Context, call contract.ComponentCall) error {
	_, err := beating(ctx, func(ctx context.Context, progress engine.Progress) (struct{}, error) {
		if call.Component.Build == nil {
			return struct{}{}, contract.Fail(contract.Internal, "component %s has no build", call.Component.Name)
		}
		return struct{}{}, d.Engine.Build(ctx, call, contextSource(*call.Component.Build, progress), progress)
	})
	return err
}

// contextSource opens the context on the worker's host; a Git repository is fetched by the engine and has none.
func contextSource(b contract.Build, progress engine.Progress) engine.Source {
	if buildcontext.IsGit(b.Context) {
		return nil
	}
	return func() (io.ReadCloser, error) {
		if b.Hash == "" {
			return nil, contract.Fail(contract.InvalidInput, "the build context %s comes without the digest of its content, which names the image", b.Context).On("build.context").Next("apply it with Terraform, which computes the digest; or give a Git URL or an image")
		}
		if _, err := os.Stat(b.Context); errors.Is(err, os.ErrNotExist) {
			return nil, elsewhere(b)
		}
		progress("reading the build context %s", b.Context)
		opened, err := buildcontext.Open(b.Context, b.Dockerfile)
		if err != nil {
			return nil, err
		}
		if opened.Hash != b.Hash {
			return nil, contract.Fail(contract.InvalidInput, "the build context %s is not what the plan saw: its files have changed since, or another host has other files there", b.Context).On("build.context").Next("plan and apply again")
		}
		progress("sending the build context %s, %.1f MB", b.Context, float64(opened.Bytes)/1e6)
		return opened.Tar(), nil
	}
}

// elsewhere is the failure of a worker that does not have the folder that Terraform has read.
func elsewhere(b contract.Build) error {
	host, err := os.Hostname()
	if err != nil {
		host = "the worker's host"
	}
	return contract.Fail(contract.InvalidInput, "the worker on %s has no folder %s to build from: the worker reads the same path as Terraform", host, b.Context).On("build.context").Next("run the worker where the folder is, or give context as a Git URL (https://<host>/<repository>.git#<ref>:<folder>), which the Docker Engine fetches, or set image instead of build")
}
