package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// FlyioInput is the input of a deployment on Fly.io.
type FlyioInput struct {
	Deploy
	Image *string `json:"image"`
	Org   *string `json:"org"`
	// Region is one of Fly.io's, for example "fra".
	Region *string `json:"region"`
	// Size is a preset such as "shared-cpu-1x"; CPUs stands for the shared preset with as many.
	Size     *string `json:"size"`
	CPUs     *int64  `json:"cpus"`
	MemoryMB *int64  `json:"memory_mb"`
	Machines *int64  `json:"machines"`
	// InternalPort is what the application listens on.
	InternalPort *int64  `json:"internal_port"`
	Strategy     *string `json:"strategy"`
}

// Defaults of a deployment on Fly.io.
const (
	DefaultFlyioOrg      = "personal"
	DefaultFlyioRegion   = "iad"
	DefaultFlyioSize     = "shared-cpu-1x"
	DefaultFlyioMachines = 1
	DefaultFlyioPort     = 8080
	MaxFlyioMachines     = 50
)

// FlyioDeployment is the row of deployments on Fly.io.
var FlyioDeployment = DeploymentRow[FlyioInput]{
	Kind: contract.FlyioDeployment, NameAttribute: "app_name", DefaultName: "flyio-deploy", Message: "flyio_deploy_complete",
	Common: func(in FlyioInput) Deploy { return in.Deploy },
	Build:  flyio,
	URL: func(ref contract.Ref, in FlyioInput) string {
		return strings.TrimSuffix(or(in.PublicURL, "https://"+ref.Service+".fly.dev"), "/")
	},
	CheckName: checkFlyioName,
	Check:     checkFlyio,
}

var flyioNamePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// FlyioStrategies are the values that strategy takes.
func FlyioStrategies() []string {
	return []string{contract.StrategyRolling, contract.StrategyImmediate}
}

// flyioGuest is how a Machine's size is written in its config and in fly.toml.
type flyioGuest struct {
	CPUKind  string `json:"cpu_kind"`
	CPUs     int64  `json:"cpus"`
	MemoryMB int64  `json:"memory_mb"`
}

// Smallest memory for each CPU of a kind, in MiB, and the largest.
var flyioMemory = map[string][2]int64{"shared": {256, 2048}, "performance": {2048, 8192}}

var flyioSizes = map[string]flyioGuest{
	"shared-cpu-1x": {"shared", 1, 256}, "shared-cpu-2x": {"shared", 2, 512}, "shared-cpu-4x": {"shared", 4, 1024},
	"shared-cpu-8x": {"shared", 8, 2048}, "performance-1x": {"performance", 1, 2048}, "performance-2x": {"performance", 2, 4096},
	"performance-4x": {"performance", 4, 8192}, "performance-8x": {"performance", 8, 16384}, "performance-16x": {"performance", 16, 32768},
}

// FlyioSizes are the presets that size takes, sorted.
func FlyioSizes() []string { return slices.Sorted(maps.Keys(flyioSizes)) }

func (in FlyioInput) guest() flyioGuest {
	guest := flyioSizes[or(in.Size, DefaultFlyioSize)]
	if in.CPUs != nil {
		guest = flyioGuest{"shared", *in.CPUs, flyioMemory["shared"][0] * *in.CPUs}
	}
	guest.MemoryMB = or(in.MemoryMB, guest.MemoryMB)
	return guest
}

// flyioEnv is the Machine's environment: PORT tells where to listen unless env says otherwise.
func (in FlyioInput) flyioEnv() map[string]string {
	env := map[string]string{"PORT": fmt.Sprint(or(in.InternalPort, DefaultFlyioPort))}
	maps.Copy(env, in.Env)
	return env
}

func flyio(ref contract.Ref, in FlyioInput, release string) (contract.Deployment, error) {
	machine, err := flyioMachine(ref, in, release)
	if err != nil {
		return contract.Deployment{}, err
	}
	return contract.Deployment{
		Steps: contract.DeploymentSteps{
			Generate: "generate_deployment_configs", Create: "create_app", Configure: "set_secrets", Release: "deploy",
			Locate: "get_url", Check: "check_health",
		},
		Image: or(in.Image, ""), Config: flyToml(ref, in), ConfigName: "fly.toml",
		Flyio: &contract.FlyioSpec{
			Org: or(in.Org, DefaultFlyioOrg), Region: or(in.Region, DefaultFlyioRegion), Machines: int(or(in.Machines, DefaultFlyioMachines)),
			Strategy: or(in.Strategy, contract.StrategyRolling), Machine: machine,
		},
	}, nil
}

// flyioMachine is the Machine config that Fly's own tool makes of [http_service]. Fly.io itself never sees fly.toml.
func flyioMachine(ref contract.Ref, in FlyioInput, release string) (json.RawMessage, error) {
	input, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	health := in.Health.check()
	seconds := func(n int) string { return fmt.Sprintf("%ds", n) }
	return json.Marshal(map[string]any{
		"image": or(in.Image, ""),
		"env":   in.flyioEnv(),
		"guest": in.guest(),
		"metadata": map[string]string{
			"fly_platform_version": "v2", "fly_process_group": "app",
			contract.FlyioMetadataID: ref.ID(), contract.FlyioMetadataRelease: release, contract.FlyioMetadataInput: string(input),
		},
		"services": []any{map[string]any{
			"protocol": "tcp", "internal_port": or(in.InternalPort, DefaultFlyioPort),
			"autostart": true, "autostop": "off", "min_machines_running": or(in.Machines, DefaultFlyioMachines),
			"ports": []any{
				map[string]any{"port": 80, "handlers": []string{"http"}, "force_https": true},
				map[string]any{"port": 443, "handlers": []string{"http", "tls"}},
			},
			"checks": []any{map[string]any{
				"type": "http", "method": "GET", "path": health.Path, "interval": seconds(health.IntervalSeconds),
				"timeout": seconds(health.AttemptSeconds), "grace_period": seconds(health.GraceSeconds),
			}},
		}},
	})
}

// flyToml is the fly.toml that the Machine config stands for: with it and Fly's own tool the same can be deployed by hand.
func flyToml(ref contract.Ref, in FlyioInput) string {
	guest, health := in.guest(), in.Health.check()
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("app = %s", tomlString(ref.Service))
	line("primary_region = %s", tomlString(or(in.Region, DefaultFlyioRegion)))
	line("\n[build]\n  image = %s", tomlString(or(in.Image, "")))
	line("\n[deploy]\n  strategy = %s", tomlString(or(in.Strategy, contract.StrategyRolling)))
	line("\n[env]")
	env := in.flyioEnv()
	for _, name := range slices.Sorted(maps.Keys(env)) {
		line("  %s = %s", name, tomlString(env[name]))
	}
	line("\n[http_service]\n  internal_port = %d\n  force_https = true", or(in.InternalPort, DefaultFlyioPort))
	line("  auto_stop_machines = \"off\"\n  auto_start_machines = true\n  min_machines_running = %d", or(in.Machines, DefaultFlyioMachines))
	line("\n  [[http_service.checks]]\n    method = \"GET\"\n    path = %s", tomlString(health.Path))
	line("    interval = \"%ds\"\n    timeout = \"%ds\"\n    grace_period = \"%ds\"", health.IntervalSeconds, health.AttemptSeconds, health.GraceSeconds)
	line("\n[[vm]]\n  cpu_kind = %s\n  cpus = %d\n  memory = \"%dmb\"", tomlString(guest.CPUKind), guest.CPUs, guest.MemoryMB)
	return b.String()
}

// tomlString is a basic string of TOML, whose escapes are those of JSON.
func tomlString(text string) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic("catalog: a string without a JSON form: " + err.Error())
	}
	return strings.TrimSpace(b.String())
}

func checkFlyioName(name string) error {
	if !flyioNamePattern.MatchString(name) {
		return fmt.Errorf("app_name %q cannot be an app's name on Fly.io: it takes lower-case letters, digits and hyphens", name)
	}
	return nil
}

func checkFlyio(in FlyioInput) []Problem {
	var problems []Problem
	add := func(attribute, format string, args ...any) {
		problems = append(problems, Problem{attribute, fmt.Sprintf(format, args...)})
	}
	if image := or(in.Image, ""); image == "" || strings.ContainsAny(image, " \t\n") {
		add("image", "%q is not an image reference; a deployment on Fly.io needs one", image)
	}
	if region := or(in.Region, DefaultFlyioRegion); !regexp.MustCompile(`^[a-z]{3}$`).MatchString(region) {
		add("region", "%q is not a region of Fly.io, such as iad or fra", region)
	}
	if port := or(in.InternalPort, DefaultFlyioPort); port < 1 || port > 65535 {
		add("internal_port", "port %d is not between 1 and 65535", port)
	}
	if n := or(in.Machines, DefaultFlyioMachines); n < 1 || n > MaxFlyioMachines {
		add("machines", "%d is not between 1 and %d", n, MaxFlyioMachines)
	}
	if strategy := or(in.Strategy, contract.StrategyRolling); !slices.Contains(FlyioStrategies(), strategy) {
		add("strategy", "%q is not one of %s", strategy, strings.Join(FlyioStrategies(), ", "))
	}
	return append(problems, checkFlyioSize(in)...)
}

func checkFlyioSize(in FlyioInput) []Problem {
	if size := or(in.Size, DefaultFlyioSize); !slices.Contains(FlyioSizes(), size) {
		return []Problem{{"size", fmt.Sprintf("%q is not one of %s", size, strings.Join(FlyioSizes(), ", "))}}
	}
	if in.Size != nil && in.CPUs != nil {
		return []Problem{{"cpus", "size says how many CPUs there are; set one of the two"}}
	}
	if n := in.CPUs; n != nil && !slices.Contains([]int64{1, 2, 4, 8}, *n) {
		return []Problem{{"cpus", fmt.Sprintf("%d is not one of 1, 2, 4, 8", *n)}}
	}
	guest := in.guest()
	bounds := flyioMemory[guest.CPUKind]
	least, most := bounds[0]*guest.CPUs, bounds[1]*guest.CPUs
	if guest.MemoryMB < least || guest.MemoryMB > most || guest.MemoryMB%256 != 0 {
		return []Problem{{"memory_mb", fmt.Sprintf("%d MiB is not a multiple of 256 between %d and %d, which %d %s CPUs can have",
			guest.MemoryMB, least, most, guest.CPUs, guest.CPUKind)}}
	}
	return nil
}
