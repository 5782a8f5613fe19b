package resources

import (
	"fmt"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
)

// shared are the inputs that every pipeline has at its top level.
type shared struct {
	BindAddress    types.String `tfsdk:"bind_address"`
	Labels         types.Map    `tfsdk:"labels"`
	PullPolicy     types.String `tfsdk:"pull_policy"`
	RegistryMirror types.String `tfsdk:"registry_mirror"`
}

// componentBlock is the nested attribute of a component: what every component has, and its own.
func componentBlock(what, image string, memoryMB int, own map[string]schema.Attribute) schema.SingleNestedAttribute {
	attributes := map[string]schema.Attribute{
		"image": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: fmt.Sprintf("Image to run. Default: `%s`.", image),
		},
		"memory_mb": schema.Int64Attribute{
			Optional: true,
			MarkdownDescription: fmt.Sprintf("Most memory that the container can use, in MiB, at least %d. Default: `%d`.",
				catalog.MinMemoryMB, memoryMB),
		},
		"cpus": schema.Float64Attribute{
			Optional:            true,
			MarkdownDescription: "Most CPU time that the container can use, in CPUs, for example `0.5`. Default: no limit.",
		},
	}
	maps.Copy(attributes, own)
	return schema.SingleNestedAttribute{
		Optional: true, Attributes: attributes,
		MarkdownDescription: what + " Default: all defaults of its attributes.",
	}
}

func portAttribute(what string, port int) schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional: true, MarkdownDescription: fmt.Sprintf("Port of the Docker host for %s. Default: `%d`.", what, port),
	}
}

// minSecretLength keeps out the shortest passwords and keys; the components would take shorter ones.
const minSecretLength = 8

// secretAttributes are the write-only attribute <name>_wo and its version. Neither does anything without the other.
func secretAttributes(name, what, otherwise string, rules ...validator.String) map[string]schema.Attribute {
	value, version := name+"_wo", name+"_wo_version"
	sibling := func(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }
	return map[string]schema.Attribute{
		value: schema.StringAttribute{
			Optional: true, Sensitive: true, WriteOnly: true,
			Validators: append(rules, stringvalidator.AlsoRequires(sibling(version))),
			MarkdownDescription: fmt.Sprintf("%s It is stored neither in plan nor in state, and travels to the worker encrypted. Needs `%s`. %s",
				what, version, otherwise),
		},
		version: schema.Int64Attribute{
			Optional: true, Validators: []validator.Int64{int64validator.AtLeast(0), int64validator.AlsoRequires(sibling(value))},
			MarkdownDescription: fmt.Sprintf("Version of `%s`, any number. Raise it to have a changed value applied.", value),
		},
	}
}

// generated says what a secret is when the configuration does not.
const generated = "Default: one that is generated and can be printed on the worker's host with `orch-worker secret`."

// merged is one map of all attributes.
func merged(all ...map[string]schema.Attribute) map[string]schema.Attribute {
	attributes := map[string]schema.Attribute{}
	for _, some := range all {
		maps.Copy(attributes, some)
	}
	return attributes
}
