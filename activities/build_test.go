package activities_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/activities"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/buildcontext"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
)

// building is an engine that reads the context of a build and remembers how much it was.
type building struct {
	activities.Engine
	has   bool // it has the image already
	bytes int64
	git   bool
}

func (b *building) Build(_ context.Context, _ contract.ComponentCall, open engine.Source, _ engine.Progress) error {
	if b.has {
		return nil
	}
	if b.git = open == nil; b.git {
		return nil
	}
	stream, err := open()
	if err != nil {
		return err
	}
	b.bytes, err = io.Copy(io.Discard, stream)
	return err
}

func buildCall(b *contract.Build) contract.ComponentCall {
	return contract.ComponentCall{Component: contract.Component{Name: "app", Image: "orch.local/app:1", Build: b}}
}

func TestBuildSendsTheContextThatThePlanSaw(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch"), 0o600))
	planned, err := buildcontext.Open(dir, "")
	require.NoError(t, err)
	b := &contract.Build{Context: dir, Dockerfile: "Dockerfile", Hash: planned.Hash}
	e := &building{}
	require.NoError(t, run(t, e, contract.BuildImage.Name, buildCall(b), nil))
	require.Positive(t, e.bytes)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM other"), 0o600))
	failure := failureOf(t, run(t, &building{}, contract.BuildImage.Name, buildCall(b), nil))
	require.Equal(t, contract.InvalidInput, failure.Class)
	require.Equal(t, "build.context", failure.Attribute)
	require.Contains(t, failure.Cause, "is not what the plan saw")
	require.Equal(t, "plan and apply again", failure.Hint)
	require.NoError(t, run(t, &building{has: true}, contract.BuildImage.Name, buildCall(b), nil), "an image that is there needs no context")

	b.Hash = "" // as a client other than Terraform may start it
	failure = failureOf(t, run(t, &building{}, contract.BuildImage.Name, buildCall(b), nil))
	require.Equal(t, "build.context", failure.Attribute)
	require.Contains(t, failure.Cause, "without the digest of its content")
}

func TestBuildOnAHostWithoutTheFolderOffersTheAlternatives(t *testing.T) {
	b := &contract.Build{Context: filepath.Join(t.TempDir(), "elsewhere"), Dockerfile: "Dockerfile", Hash: "x"}
	failure := failureOf(t, run(t, &building{}, contract.BuildImage.Name, buildCall(b), nil))
	require.Equal(t, contract.InvalidInput, failure.Class)
	require.Contains(t, failure.Cause, b.Context)
	for _, way := range []string{"run the worker where the folder is", "Git URL", "image instead of build"} {
		require.Contains(t, failure.Hint, way)
	}
}

func TestBuildOfAGitRepositoryIsTheEnginesToFetch(t *testing.T) {
	e := &building{}
	require.NoError(t, run(t, e, contract.BuildImage.Name, buildCall(&contract.Build{Context: "https://example.com/app.git#main", Dockerfile: "Dockerfile"}), nil))
	require.True(t, e.git)
	require.Equal(t, contract.Internal, failureOf(t, run(t, e, contract.BuildImage.Name, buildCall(nil), nil)).Class)
}
