package resources

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/buildcontext"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// contextKey is where private state keeps the manifest of the context that the image was built from, to name what changed.
const contextKey = "context"

// builder is a model whose image may be built from a context.
type builder interface {
	service() *serviceModel
}

// asBuilder is the service part of a model, or nil when its kind builds nothing.
func asBuilder(m any) *serviceModel {
	if b, ok := m.(builder); ok {
		return b.service()
	}
	return nil
}

// absolute is the path of a context folder where Terraform runs, which the worker is told: its working directory is another
// one. It is nil for what the engine fetches by itself.
func absolute(folder string, diags *diag.Diagnostics) *string {
	if folder == "" || buildcontext.IsGit(folder) {
		return nil
	}
	if strings.Contains(folder, "://") {
		return &folder // no folder, which is refused where it is read
	}
	dir, err := filepath.Abs(folder)
	if err != nil {
		diags.AddAttributeError(path.Root("build"), "Invalid build.context", Sentence(err.Error()))
		return nil
	}
	return &dir
}

// manifest reads the context folder. It is nil where there is none to read: without a build, with a Git repository, and
// while the configuration does not know it yet.
func (s *serviceModel) manifest(diags *diag.Diagnostics) *buildcontext.Manifest {
	if s.Build.IsNull() || s.Build.IsUnknown() {
		return nil
	}
	// Build arguments may be unknown here; they are not part of the context.
	attributes := s.Build.Attributes()
	folder, _ := attributes["context"].(types.String)
	file, _ := attributes["dockerfile"].(types.String)
	if folder.IsUnknown() || file.IsUnknown() {
		return nil
	}
	dir := absolute(folder.ValueString(), diags)
	if dir == nil {
		return nil
	}
	opened, err := buildcontext.Open(*dir, file.ValueString())
	if err != nil {
		addContextError(diags, err)
		return nil
	}
	found := opened.Manifest()
	return &found
}

// addContextError reports a context that cannot be read or sent.
func addContextError(diags *diag.Diagnostics, err error) {
	failure := contract.AsFailure(err)
	if failure == nil {
		diags.AddAttributeError(path.Root("build"), "The build context cannot be read", Sentence(err.Error()))
		return
	}
	detail := Sentence(failure.Cause)
	if failure.Hint != "" {
		detail += "\n\nNext: " + failure.Hint + "."
	}
	diags.AddAttributeError(attributePath(failure.Attribute), "Invalid "+asWritten(failure.Attribute), detail)
}

// planContext plans context_hash and reports whether the image must be built anew. Terraform plans again during an apply, and
// the folder may have changed by then: only a hash that is in state already can be planned as known.
func (s *serviceModel) planContext(ctx context.Context, prior *serviceModel, private privateReader, address string, diags *diag.Diagnostics) (changed bool) {
	if s.Build.IsUnknown() {
		s.ContextHash = types.StringUnknown()
		return false
	}
	found := s.manifest(diags)
	if diags.HasError() {
		return false
	}
	switch {
	case found == nil && (s.Build.IsNull() || s.fetched()):
		s.ContextHash = types.StringNull()
		return prior != nil && !prior.ContextHash.IsNull()
	case found == nil, prior == nil:
		s.ContextHash = types.StringUnknown()
		return false
	case prior.ContextHash.ValueString() == found.Hash:
		s.ContextHash = prior.ContextHash
		return false
	}
	s.ContextHash = types.StringUnknown()
	if !prior.ContextHash.IsNull() {
		warnContext(ctx, private, *found, address, diags)
	}
	return true
}

// fetched reports that the engine gets the context itself, so that nobody here knows what is in it.
func (s *serviceModel) fetched() bool {
	folder, ok := s.Build.Attributes()["context"].(types.String)
	return ok && !folder.IsUnknown() && buildcontext.IsGit(folder.ValueString())
}

func warnContext(ctx context.Context, private privateReader, found buildcontext.Manifest, address string, diags *diag.Diagnostics) {
	data, d := private.GetKey(ctx, contextKey)
	diags.Append(d...)
	what := "Which files have changed is not known, because the service was imported."
	var before buildcontext.Manifest
	if len(data) > 0 && json.Unmarshal(data, &before) == nil {
		what = fmt.Sprintf("Since the image was built: %s.", buildcontext.Changed(before, found))
	}
	diags.AddAttributeWarning(path.Root("build"), "The build context of "+address+" has changed", what+"\n\nThe image is built from it anew.")
}

// hashContext reads the context once more when the plan left its hash open. What was hashed is what the worker builds, or it
// refuses.
func (s *serviceModel) hashContext(diags *diag.Diagnostics) *buildcontext.Manifest {
	if s == nil || !s.ContextHash.IsUnknown() {
		return nil
	}
	found := s.manifest(diags)
	s.ContextHash = types.StringNull()
	if found != nil {
		s.ContextHash = types.StringValue(found.Hash)
	}
	return found
}

// saveContext keeps what an image was built from; nil keeps what is there.
func saveContext(ctx context.Context, private privateWriter, built *buildcontext.Manifest, diags *diag.Diagnostics) {
	if built == nil {
		return
	}
	data, err := json.Marshal(built)
	if err != nil {
		diags.AddError("The private state of the resource cannot be written", Sentence(err.Error()))
		return
	}
	diags.Append(private.SetKey(ctx, contextKey, data)...)
}

// addGap warns of how long the service did not answer while one container took over from another.
func addGap(ctx context.Context, diags *diag.Diagnostics, address string, s *serviceModel, result contract.Result) {
	if s == nil {
		return
	}
	for _, c := range result.Components {
		if c.GapMS == 0 {
			continue
		}
		in := toInput[catalog.ServiceInput](ctx, s, diags)
		diags.AddWarning(fmt.Sprintf("%s did not answer for %.1f s", address, float64(c.GapMS)/1000),
			fmt.Sprintf("Container %s was stopped before its successor was started: %s.", c.Container, in.Gap()))
	}
}
