package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// testPipelines are one of each kind.
func testPipelines(t *testing.T) []pipeline {
	t.Helper()
	var all []pipeline
	for _, kind := range kindNames() {
		p, err := newPipeline(kind, "bench", devenv.Doubles)
		require.NoError(t, err)
		all = append(all, p)
	}
	require.NotEmpty(t, all)
	return all
}

// Compose would be measured on something else if a part of the catalog's pipeline did not reach its file.
func TestComposeFileHoldsEverythingOfTheStack(t *testing.T) {
	for _, p := range testPipelines(t) {
		t.Run(p.Kind.Short, func(t *testing.T) { assertWhole(t, p.Stack) })
	}
}

func assertWhole(t *testing.T, stack contract.Stack) {
	t.Helper()
	file, err := newComposeFile("project", stack)
	require.NoError(t, err)
	data, err := file.marshal()
	require.NoError(t, err)
	var back composeFile
	require.NoError(t, json.Unmarshal(data, &back))

	require.Len(t, back.Services, len(stack.Components))
	for _, c := range stack.Components {
		s, ok := back.Services[c.Name]
		require.True(t, ok, "the service's name is the DNS name that other components use: %s", c.Name)
		require.Equal(t, c.Image, s.Image)
		require.Equal(t, strconv.FormatInt(c.MemoryMB, 10)+"m", s.MemLimit)
		require.InDelta(t, c.CPUs, s.CPUs, 1e-9)
		require.Equal(t, strconv.Itoa(c.StopTimeout)+"s", s.StopGrace)
		require.Equal(t, len(c.Env), len(s.Environment))

		require.Len(t, s.Ports, len(c.Ports))
		for i, p := range c.Ports {
			require.Equal(t, p.Container, s.Ports[i].Target)
			require.Equal(t, p.Bind, s.Ports[i].HostIP)
			if p.Host != 0 {
				require.Equal(t, strconv.Itoa(p.Host), s.Ports[i].Published)
			}
		}
		require.Len(t, s.Configs, len(c.Files))
		for i, f := range c.Files {
			require.Equal(t, f.Path, s.Configs[i].Target)
			require.Equal(t, f.Content, strings.ReplaceAll(back.Configs[s.Configs[i].Source].Content, "$$", "$"))
		}
		require.Len(t, s.Volumes, len(c.Volumes))
		for i, v := range c.Volumes {
			require.Equal(t, v.Path, s.Volumes[i].Target)
			require.Contains(t, back.Volumes, s.Volumes[i].Source)
		}
		require.Len(t, s.Secrets, len(secretFiles(c)))
		for i, secret := range secretFiles(c) {
			require.Equal(t, contract.SecretsPath+"/"+secret.file, s.Secrets[i].Target)
			variable := back.Secrets[s.Secrets[i].Source].Environment
			require.Contains(t, secretEnvironment(stack), variable+"="+secret.content)
		}
	}
}

func TestDollarSignsReachTheContainer(t *testing.T) {
	file, err := newComposeFile("project", contract.Stack{Components: []contract.Component{{
		Name: "a", Command: []string{"$HOME"}, Env: map[string]string{"A": "$B"}, Files: []contract.File{{Path: "/f", Content: "cost: $1"}},
	}}})
	require.NoError(t, err)
	require.Equal(t, []string{"$$HOME"}, file.Services["a"].Command)
	require.Equal(t, "$$B", file.Services["a"].Environment["A"])
	require.Equal(t, "cost: $$1", file.Configs["a-0"].Content)
}

func TestFileWithAnOwnerIsRefused(t *testing.T) {
	_, err := newComposeFile("project", contract.Stack{Components: []contract.Component{{Name: "a", Files: []contract.File{{Path: "/f", UID: 7}}}}})
	require.ErrorContains(t, err, "/f of a has an owner")
}

// The provider refuses attributes that it does not know, so a renamed one fails in the benchmark; ports and images that are
// not the same would not.
func TestConfigurationAsksForTheSamePipeline(t *testing.T) {
	for _, p := range testPipelines(t) {
		t.Run(p.Kind.Short, func(t *testing.T) { assertConfigured(t, p) })
	}
}

func assertConfigured(t *testing.T, p pipeline) {
	t.Helper()
	data, err := p.configuration(false)
	require.NoError(t, err)
	require.Contains(t, string(data), `"orch_`+p.Kind.Name+`"`)
	require.Contains(t, string(data), `"verify": false`)
	for _, c := range p.Stack.Components {
		require.Contains(t, string(data), c.Image)
		for _, port := range c.Ports {
			if port.Attribute == "" {
				continue
			}
			_, name, ok := strings.Cut(port.Attribute, ".")
			require.True(t, ok)
			require.Contains(t, string(data), strconv.Quote(name)+": "+strconv.Itoa(port.Host))
		}
	}
	require.Contains(t, string(data), `"delete_volumes": true`)
}
