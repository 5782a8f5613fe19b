package resources

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

type flyioModel struct {
	deployBase
	AppName      types.String `tfsdk:"app_name"`
	Image        types.String `tfsdk:"image"`
	Org          types.String `tfsdk:"org"`
	Region       types.String `tfsdk:"region"`
	Size         types.String `tfsdk:"size"`
	CPUs         types.Int64  `tfsdk:"cpus"`
	MemoryMB     types.Int64  `tfsdk:"memory_mb"`
	Machines     types.Int64  `tfsdk:"machines"`
	InternalPort types.Int64  `tfsdk:"internal_port"`
	Strategy     types.String `tfsdk:"strategy"`

	MachineConfig types.String `tfsdk:"machine_config"`
}

const flyioDescription = `An application on Fly.io: an app with public addresses, its secrets, and machines that run an image.

The plan shows the ` + "`fly.toml`" + ` that stands for the deployment, and the Machine config that Fly.io is given instead of it. A change is
rolled out in place; when a machine does not come up or its check does not pass, the apply fails with what Fly.io tells of the machine, and
the last good release comes back. The worker calls the API, with the token in its own environment (` + "`FLY_API_TOKEN`" + `) unless another
is named.

The name of an app is unique among all apps of Fly.io.`

func newFlyioDeployment() resource.Resource {
	return defineDeployment[flyioModel](catalog.FlyioDeployment, flyioDescription, flyioInputSchema(), map[string]schema.Attribute{
		"machine_config": schema.StringAttribute{
			Computed: true, MarkdownDescription: "The config of each machine as JSON, as generated from the attributes. It is known at plan time.",
		},
	})
}

func flyioInputSchema() map[string]schema.Attribute {
	text := func(description, otherwise string, modifiers ...planmodifier.String) schema.StringAttribute {
		return schema.StringAttribute{
			Optional: true, PlanModifiers: modifiers, MarkdownDescription: fmt.Sprintf("%s Default: `%s`.", description, otherwise),
		}
	}
	number := func(description string) schema.Int64Attribute {
		return schema.Int64Attribute{Optional: true, MarkdownDescription: description}
	}
	return map[string]schema.Attribute{
		"image": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "Image to run, for example `registry.fly.io/app:1` or `nginx:1.29`.",
		},
		"org": text("Slug of the organization that has the app. Changing it replaces the deployment.", catalog.DefaultFlyioOrg, replaceUnless(catalog.DefaultFlyioOrg)),
		"region": text("Region of the machines, for example `fra`. Another region means other machines, which are made before the old ones go.",
			catalog.DefaultFlyioRegion),
		"size":      text("Size of each machine: `"+strings.Join(catalog.FlyioSizes(), "`, `")+"`.", catalog.DefaultFlyioSize),
		"cpus":      number("Shared CPUs of each machine, instead of `size`: `1`, `2`, `4` or `8`. Default: what `size` says."),
		"memory_mb": number("Memory of each machine in MiB, a multiple of 256. Default: what `size` says, or 256 for each of `cpus`."),
		"machines":  number(fmt.Sprintf("How many machines there are. Default: `%d`.", catalog.DefaultFlyioMachines)),
		"internal_port": number(fmt.Sprintf("Port that the application listens on; it finds it in `PORT`, unless `env` says otherwise. Default: `%d`.",
			catalog.DefaultFlyioPort)),
		"strategy": text("How machines are updated: `"+contract.StrategyRolling+"` one after the other, waiting for each; `"+contract.StrategyImmediate+
			"` all at once.", contract.StrategyRolling),
	}
}

func (m *flyioModel) name() *types.String { return &m.AppName }

func (m *flyioModel) derive(d contract.Deployment) {
	m.MachineConfig = types.StringValue(string(d.Flyio.Machine))
}

func (m *flyioModel) underive() { m.MachineConfig = types.StringUnknown() }
