package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// composeFile is the part of a compose file that a stack needs.
type composeFile struct {
	Name     string                    `json:"name"`
	Services map[string]composeService `json:"services"`
	Configs  map[string]composeContent `json:"configs,omitempty"`
	Secrets  map[string]composeContent `json:"secrets,omitempty"`
	Volumes  map[string]composeVolume  `json:"volumes,omitempty"`
}

type composeService struct {
	Image         string            `json:"image"`
	ContainerName string            `json:"container_name"`
	Hostname      string            `json:"hostname"`
	Command       []string          `json:"command,omitempty"`
	Environment   map[string]string `json:"environment,omitempty"`
	User          string            `json:"user,omitempty"`
	Ports         []composePort     `json:"ports,omitempty"`
	Configs       []composeMount    `json:"configs,omitempty"`
	Secrets       []composeMount    `json:"secrets,omitempty"`
	Volumes       []composeBind     `json:"volumes,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	DependsOn     []string          `json:"depends_on,omitempty"`
	MemLimit      string            `json:"mem_limit,omitempty"`
	CPUs          float64           `json:"cpus,omitempty"`
	Restart       string            `json:"restart"`
	StopGrace     string            `json:"stop_grace_period"`
	Logging       composeLogging    `json:"logging"`
}

type composePort struct {
	Target    int    `json:"target"`
	Published string `json:"published,omitempty"`
	HostIP    string `json:"host_ip"`
}

type composeMount struct {
	Source string `json:"source"`
	Target string `json:"target"`
	Mode   string `json:"mode"`
}

type composeBind struct {
	Type   string `json:"type"`
	Source string `json:"source"`
	Target string `json:"target"`
}

type composeContent struct {
	Content string `json:"content,omitempty"`
	// Environment names the variable that holds the content: compose files take no literal secrets.
	Environment string `json:"environment,omitempty"`
}

type composeVolume struct {
	Name string `json:"name"`
}

type composeLogging struct {
	Driver  string            `json:"driver"`
	Options map[string]string `json:"options"`
}

// secretVariable is the environment variable that compose takes a secret from.
func secretVariable(c contract.Component, s secretFile) string {
	return "BENCH_" + strings.NewReplacer("-", "_", ".", "_").Replace(strings.ToUpper(c.Name+"_"+s.file))
}

// secretEnvironment are the variables that hold the secrets of a stack.
func secretEnvironment(stack contract.Stack) []string {
	var env []string
	for _, c := range stack.Components {
		for _, s := range secretFiles(c) {
			env = append(env, secretVariable(c, s)+"="+s.content)
		}
	}
	return env
}

// rootUser runs a service whose volume the image does not prepare: compose cannot give a volume an owner.
const rootUser = "0:0"

// newComposeFile describes a stack to docker compose. Compose reads YAML, of which JSON is a part.
func newComposeFile(project string, stack contract.Stack) (composeFile, error) {
	file := composeFile{
		Name: project, Services: map[string]composeService{},
		Configs: map[string]composeContent{}, Secrets: map[string]composeContent{}, Volumes: map[string]composeVolume{},
	}
	for _, c := range stack.Components {
		service := composeService{
			Image: c.Image, ContainerName: composeContainer(project, c.Name), Hostname: c.Name,
			Command: escapeAll(c.Command), Environment: escapeValues(c.Env), User: c.User, Labels: escapeValues(c.Labels), DependsOn: c.DependsOn,
			CPUs: c.CPUs, Restart: "unless-stopped", StopGrace: strconv.Itoa(c.StopTimeout) + "s",
			Logging: composeLogging{Driver: "json-file", Options: map[string]string{"max-size": "10m", "max-file": "3"}},
		}
		if c.MemoryMB > 0 {
			service.MemLimit = strconv.FormatInt(c.MemoryMB, 10) + "m"
		}
		for _, p := range c.Ports {
			service.Ports = append(service.Ports, newComposePort(p))
		}
		for i, f := range c.Files {
			if f.UID != 0 || f.GID != 0 {
				return composeFile{}, fmt.Errorf("%s of %s has an owner, which compose cannot set on every engine", f.Path, c.Name)
			}
			name := fmt.Sprintf("%s-%d", c.Name, i)
			file.Configs[name] = composeContent{Content: escape(f.Content)}
			service.Configs = append(service.Configs, composeMount{name, f.Path, octal(f.Mode)})
		}
		for _, s := range secretFiles(c) {
			name := c.Name + "-" + s.file
			file.Secrets[name] = composeContent{Environment: secretVariable(c, s)}
			// Its owner would be root: without the right to read for others, the image's user could not.
			service.Secrets = append(service.Secrets, composeMount{name, contract.SecretsPath + "/" + s.file, octal(0o444)})
		}
		for _, v := range c.Volumes {
			file.Volumes[v.Name] = composeVolume{project + "-" + v.Name}
			service.Volumes = append(service.Volumes, composeBind{"volume", v.Name, v.Path})
			service.User = rootUser
		}
		file.Services[c.Name] = service
	}
	return file, nil
}

func newComposePort(p contract.Port) composePort {
	port := composePort{Target: p.Container, HostIP: p.Bind}
	if p.Host != 0 { // else the engine chooses one
		port.Published = strconv.Itoa(p.Host)
	}
	return port
}

func composeContainer(project, component string) string { return project + "-" + component }

func (f composeFile) marshal() ([]byte, error) { return json.MarshalIndent(f, "", "  ") }

func octal(mode int64) string { return "0" + strconv.FormatInt(mode, 8) }

// escape keeps compose from taking a dollar sign for the start of a variable.
func escape(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func escapeAll(texts []string) []string {
	var out []string
	for _, text := range texts {
		out = append(out, escape(text))
	}
	return out
}

func escapeValues(in map[string]string) map[string]string {
	out := make(map[string]string, len(in))
	for name, value := range in {
		out[name] = escape(value)
	}
	return out
}
