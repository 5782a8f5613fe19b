package activities

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/cloud/github"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/engine"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/sourcetree"
)

// repositoryNote is the description of a repository that orch has created: it says for which deployment.
func repositoryNote(ref contract.Ref) string { return contract.RepositoryNote + ref.ID() }

// pushed reads the folder that is pushed, with the platform's configuration file where the folder has none.
func pushed(ctx context.Context, call contract.DeploymentCall, r contract.Repository) (sourcetree.Tree, error) {
	tree, err := sourcetree.Read(ctx, r.Source)
	if err != nil {
		failure := contract.AsFailure(err)
		if failure != nil {
			failure.Attribute = "repository.source"
		}
		if failure != nil && failure.Hint == "" {
			failure.Hint = "the folder is read where the worker runs; run the worker where it is, or push it yourself and leave source out"
		}
		return tree, err
	}
	if r.SourceHash != "" && tree.Hash() != r.SourceHash {
		return tree, contract.Fail(contract.InvalidInput, "the folder %s is not what was planned: its tree is %s, planned was %s", r.Source, tree.Hash()[:12], r.SourceHash[:min(12, len(r.SourceHash))]).On("repository.source").Next("it has changed since, or the worker has another folder under that path, or other settings of git (core.excludesFile, a user of another name); plan and apply again")
	}
	if name := call.Deployment.ConfigName; name != "" && !tree.Has(name) {
		tree = tree.With(name, []byte(call.Deployment.Config))
	}
	return tree, nil
}

// prepareRepository looks at the folder and the repository before anything is changed.
func (p renderPlatform) prepareRepository(ctx context.Context, call contract.DeploymentCall, r contract.Repository, prepared *contract.DeploymentPrepared) error {
	if _, err := pushed(ctx, call, r); err != nil {
		return err
	}
	gh, err := p.github(r)
	if err != nil {
		return err
	}
	repository, err := gh.Repository(ctx, r.Name)
	switch {
	case err != nil:
		return githubToken(err)
	case repository == nil && !r.Create:
		failure := contract.Fail(contract.NotFound, "there is no repository %s that the GitHub token can see", r.Name)
		failure.Attribute, failure.Hint = "repository.name", "set repository.create = true to have it created"
		return failure
	case repository == nil:
		return nil
	}
	if repository.Archived {
		failure := contract.Fail(contract.Denied, "the repository %s is archived, so nothing can be pushed to it", r.Name)
		failure.Attribute, failure.Hint = "repository.name", "unarchive it in its settings on GitHub, or name another"
		return failure
	}
	prepared.Deployed.IDs = with(prepared.Deployed.IDs, renderRepository, repository.FullName)
	known := call.Known != nil && strings.EqualFold(call.Known.IDs[renderRepository], r.Name)
	if r.Create && !known && !call.Adopt && repository.Description != repositoryNote(call.Deployment.Ref) {
		return contract.Fail(contract.NotOwned, "the repository %s exists already, and was not created for this deployment", r.Name).On("repository.name").Next("choose another name, set repository.create = false to push to it, or adopt_existing = true")
	}
	return nil
}

// githubToken says of a refused token where it comes from.
func githubToken(err error) error {
	failure := asStepFailure(err)
	if failure == nil || !cloud.IsStatus(err, http.StatusUnauthorized, http.StatusForbidden) {
		return err
	}
	failure.Attribute = "github_token"
	failure.Hint = "the token needs the scope repo (delete_repo to delete), or as a fine-grained one Administration and Contents: write; " +
		"set GITHUB_TOKEN where the worker runs, or refer to it with the attribute github_token"
	return failure
}

// ensureRepository creates the repository where that is wanted and there is none.
func (p renderPlatform) ensureRepository(ctx context.Context, gh *github.Client, call contract.DeploymentCall, r contract.Repository, progress engine.Progress) error {
	repository, err := gh.Repository(ctx, r.Name)
	if err != nil || repository != nil {
		return githubToken(err)
	}
	if !r.Create {
		return contract.Fail(contract.NotFound, "the repository %s is gone", r.Name).On("repository.name")
	}
	progress("creating repository %s", r.Name)
	login, err := gh.Login(ctx)
	if err != nil {
		return githubToken(err)
	}
	owner, name, _ := strings.Cut(r.Name, "/")
	_, created := gh.CreateRepository(ctx, login, owner, name, repositoryNote(call.Deployment.Ref), r.Private)
	if created == nil {
		return nil
	}
	if !cloud.IsAmbiguous(created) && !cloud.IsStatus(created, http.StatusUnprocessableEntity) {
		return githubToken(created)
	}
	// The answer was lost, or an attempt before has done it.
	repository, err = gh.Repository(ctx, r.Name)
	switch {
	case err != nil:
		return err
	case repository == nil:
		return created
	case repository.Description != repositoryNote(call.Deployment.Ref):
		return contract.Fail(contract.NotOwned, "somebody else has created the repository %s meanwhile", r.Name)
	}
	return nil
}

// push makes sure of the repository and brings the folder's content to its branch.
func (p renderPlatform) push(ctx context.Context, call contract.DeploymentCall, r contract.Repository, progress engine.Progress) (contract.Deployed, error) {
	deployed := call.Deployed
	tree, err := pushed(ctx, call, r)
	if err != nil {
		return deployed, err
	}
	gh, err := p.github(r)
	if err != nil {
		return deployed, err
	}
	if err := p.ensureRepository(ctx, gh, call, r, progress); err != nil {
		return deployed, err
	}
	deployed.IDs = with(deployed.IDs, renderRepository, r.Name)
	progress("pushing %d files to %s, branch %s", tree.Len(), r.Name, r.Branch)
	deployed.Commit, _, err = gh.Push(ctx, r.Name, r.Branch, tree, fmt.Sprintf("Deploy %s", call.Deployment.Ref.Service), call.Adopt)
	return deployed, githubToken(err)
}

// Push implements Platform.
func (p renderPlatform) Push(ctx context.Context, call contract.DeploymentCall, progress engine.Progress) (contract.Deployed, error) {
	r := call.Deployment.Render.Repository
	if r == nil || r.Source == "" {
		return call.Deployed, nil
	}
	return p.push(ctx, call, *r, progress)
}

// removeRepository deletes a repository that orch has created, when that is wanted, and waits until it is gone.
func (p renderPlatform) removeRepository(ctx context.Context, call contract.DeploymentCall, r contract.Repository, progress engine.Progress) (removed bool, err error) {
	gh, err := p.github(r)
	if err != nil {
		return false, err
	}
	repository, err := gh.Repository(ctx, r.Name)
	if err != nil || repository == nil || repository.Description != repositoryNote(call.Deployment.Ref) {
		return false, githubToken(err)
	}
	progress("deleting repository %s", r.Name)
	if err := gh.DeleteRepository(ctx, r.Name); err != nil && !cloud.IsAmbiguous(err) {
		return false, githubToken(err)
	}
	gone, err := poll(ctx, renderSettle, func() (bool, error) {
		left, err := gh.Repository(ctx, r.Name)
		return left == nil, err
	})
	if err == nil && !gone {
		err = contract.Fail(contract.Unavailable, "the repository %s is still there after its deletion", r.Name)
	}
	return err == nil, err
}
