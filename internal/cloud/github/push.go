package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/sourcetree"
)

// Committer is who every commit of orch is by. The date is fixed too, so that the same content on the same parent is the
// same commit: to push it a second time changes nothing.
const (
	CommitterName  = "orch"
	CommitterEmail = "orch@noreply.invalid"
	committed      = "946684800 +0000" // 2000-01-01T00:00:00Z
)

// Commit is the commit object of a tree. parent is empty for the first one.
func Commit(tree, parent, message string) sourcetree.Object {
	var content bytes.Buffer
	fmt.Fprintf(&content, "tree %s\n", tree)
	if parent != "" {
		fmt.Fprintf(&content, "parent %s\n", parent)
	}
	who := fmt.Sprintf("%s <%s> %s", CommitterName, CommitterEmail, committed)
	fmt.Fprintf(&content, "author %s\ncommitter %s\n\n%s\n", who, who, strings.TrimSpace(message))
	return sourcetree.Object{Type: sourcetree.TypeCommit, Content: content.Bytes()}
}

// remote is one session of git's protocol with the repository.
type remote struct {
	url     string
	session transport.ReceivePackSession
	refs    *packp.AdvRefs
}

// open asks the repository for its branches. Git's own server answers this, so what it says is never out of date.
func open(ctx context.Context, client *http.Client, address, token string) (remote, error) {
	endpoint, err := transport.NewEndpoint(address)
	if err != nil {
		return remote{}, contract.Fail(contract.InvalidInput, "%s is no address of a repository: %v", address, err)
	}
	session, err := githttp.NewClient(client).NewReceivePackSession(endpoint, &githttp.BasicAuth{Username: "x-access-token", Password: token})
	if err != nil {
		return remote{}, pushFailed(address, err)
	}
	r := remote{url: address, session: session}
	if r.refs, err = session.AdvertisedReferencesContext(ctx); err != nil {
		return remote{}, pushFailed(address, err)
	}
	return r, nil
}

// head is the commit of a branch, empty when there is no such branch.
func (r remote) head(branch string) string {
	if hash, ok := r.refs.References["refs/heads/"+branch]; ok {
		return hash.String()
	}
	return ""
}

// update moves a branch from the commit that it is on to another one and sends the objects that this needs.
func (r remote) update(ctx context.Context, branch, from, to string, objects []sourcetree.Object) error {
	store := memory.NewStorage()
	hashes := make([]plumbing.Hash, 0, len(objects))
	for _, o := range objects {
		hash, err := put(store, o)
		if err != nil {
			return contract.Fail(contract.Internal, "pack the commit: %v", err)
		}
		hashes = append(hashes, hash)
	}
	var pack bytes.Buffer
	if _, err := packfile.NewEncoder(&pack, store, false).Encode(hashes, 0); err != nil {
		return contract.Fail(contract.Internal, "pack the commit: %v", err)
	}
	request := packp.NewReferenceUpdateRequestFromCapabilities(r.refs.Capabilities)
	request.Commands = []*packp.Command{{
		Name: plumbing.NewBranchReferenceName(branch), Old: plumbing.NewHash(from), New: plumbing.NewHash(to),
	}}
	request.Packfile = io.NopCloser(&pack)
	if _, err := r.session.ReceivePack(ctx, request); err != nil {
		return pushFailed(r.url, err)
	}
	return nil
}

func put(store *memory.Storage, o sourcetree.Object) (plumbing.Hash, error) {
	kind, err := plumbing.ParseObjectType(o.Type)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	object := store.NewEncodedObject()
	object.SetType(kind)
	w, err := object.Writer()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if _, err := w.Write(o.Content); err != nil {
		return plumbing.ZeroHash, err
	}
	return store.SetEncodedObject(object)
}

// pushFailed classifies what git's protocol can say. No answer leaves it open whether the branch was moved: the next try
// looks at it first.
func pushFailed(address string, err error) error {
	var unexpected *plumbing.UnexpectedError
	if errors.As(err, &unexpected) {
		err = unexpected.Err
	}
	var wire *url.Error
	text := err.Error()
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		return contract.Fail(contract.Denied, "%s does not let the GitHub token push: %v", address, err).Next("the token needs the scope repo, or as a fine-grained one Contents: write for this repository")
	case strings.Contains(text, "without `workflow` scope"), strings.Contains(text, "without 'workflow' scope"):
		return contract.Fail(contract.Denied, "%s does not take files below .github/workflows from this token: %s", address, text).Next("give the token the scope workflow, or as a fine-grained one Workflows: write")
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return contract.Fail(contract.NotFound, "there is no repository at %s that the GitHub token can see", address)
	case errors.As(err, &wire):
		return contract.Fail(contract.Unavailable, "%s does not answer: %v", address, wire.Err)
	case strings.Contains(text, "non-fast-forward"), strings.Contains(text, "failed to update ref"), strings.Contains(text, "cannot lock ref"):
		return contract.Fail(contract.Unavailable, "%s was pushed to at the same time: %v", address, err)
	case strings.Contains(text, "command error on"), strings.Contains(text, "unpack error"):
		return contract.Fail(contract.Denied, "%s refuses the push: %v", address, err)
	}
	return contract.Fail(contract.Unavailable, "push to %s: %v", address, err)
}
