package resources

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// template is the part of a model that has a Collector's configuration rendered from a template.
type template struct {
	TemplatePath types.String `tfsdk:"template_path"`
	Template     types.String `tfsdk:"template"`
	Config       types.String `tfsdk:"config"`
}

// maxTemplate is the most that is read of a template file, in bytes.
const maxTemplate = 1 << 20

// read leaves the configuration that was planned or applied, where there is one: what was reviewed is what is applied. Else it is
// to be rendered, from the template file as it is now.
func (t template) read(in *catalog.TemplateInput, diags *diag.Diagnostics) {
	if in.Config != nil || in.TemplatePath == nil {
		return
	}
	text, err := readTemplate(*in.TemplatePath)
	if err != nil {
		diags.AddAttributeError(path.Root("template_path"), "The template cannot be read", "Reading it failed: "+err.Error()+
			". The file is read where Terraform runs; a relative path begins in its working directory.")
		return
	}
	in.TemplateText = &text
}

func readTemplate(name string) (text string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
	}()
	content, err := io.ReadAll(io.LimitReader(f, maxTemplate+1))
	if err == nil && len(content) > maxTemplate {
		return "", fmt.Errorf("%s has more than %d bytes", name, maxTemplate)
	}
	return string(content), err
}

func (t *template) underive() { t.Config = types.StringUnknown() }

// changed tells of a template file whose content has another result than prior's, and makes the new configuration unknown.
func (t *template) changed(prior template, address string, diags *diag.Diagnostics) {
	if t.TemplatePath.IsNull() {
		return
	}
	diags.AddWarning(fmt.Sprintf("%s: the template %s has changed", address, t.TemplatePath.ValueString()),
		"The configuration rendered from it differs from the one that runs:\n"+
			indent(difference(prior.Config.ValueString(), t.Config.ValueString()))+"\nThe apply renders the file as it is then.")
	t.underive()
}

// difference lists the lines that one text has and the other has not, in the manner of diff.
func difference(before, after string) []string {
	old, fresh := strings.Split(before, "\n"), strings.Split(after, "\n")
	start := 0
	for start < len(old) && start < len(fresh) && old[start] == fresh[start] {
		start++
	}
	end := 0
	for end < len(old)-start && end < len(fresh)-start && old[len(old)-1-end] == fresh[len(fresh)-1-end] {
		end++
	}
	lines := []string{fmt.Sprintf("line %d:", start+1)}
	for _, line := range old[start : len(old)-end] {
		lines = append(lines, "- "+line)
	}
	for _, line := range fresh[start : len(fresh)-end] {
		lines = append(lines, "+ "+line)
	}
	const most = 40
	if len(lines) > most {
		lines = append(lines[:most], "…")
	}
	return lines
}
