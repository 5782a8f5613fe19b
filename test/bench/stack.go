package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// pipeline is one contestant's pipeline of some kind: the same for all but for names and host ports.
type pipeline struct {
	Kind contract.Kind
	// Input holds the attributes of each component's block.
	Input map[string]object
	Stack contract.Stack
}

// kindNames are the kinds of pipelines that the catalog has, by the word that -pipelines takes.
func kindNames() []string {
	var names []string
	for _, entry := range catalog.All() {
		// What runs the user's own image is not orch's to measure, and ingests have a benchmark of their own.
		if strings.HasSuffix(entry.Kind.Name, "_pipeline") {
			names = append(names, entry.Kind.Short)
		}
	}
	return names
}

func entryOf(kind string) (catalog.Entry, error) {
	all := catalog.All()
	i := slices.IndexFunc(all, func(e catalog.Entry) bool { return e.Kind.Short == kind })
	if i < 0 {
		return catalog.Entry{}, fmt.Errorf("the catalog has no %s pipeline", kind)
	}
	return all[i], nil
}

// components are those of a kind of pipeline with all defaults.
func components(kind string) ([]contract.Component, error) {
	entry, err := entryOf(kind)
	if err != nil {
		return nil, err
	}
	stack, err := entry.Expand(contract.NewRef(entry.Kind, "", "bench"), nil)
	return stack.Components, err
}

// newPipeline expands the catalog's pipeline of a kind, so that all contestants make what orch makes, whatever that is.
func newPipeline(kind, service string, images devenv.Images) (pipeline, error) {
	entry, err := entryOf(kind)
	if err != nil {
		return pipeline{}, err
	}
	defaults, err := components(kind)
	if err != nil {
		return pipeline{}, fmt.Errorf("expand the %s pipeline: %w", kind, err)
	}
	input, err := newInput(defaults, images)
	if err != nil {
		return pipeline{}, err
	}
	data, err := json.Marshal(input)
	if err != nil {
		return pipeline{}, err
	}
	stack, err := entry.Expand(contract.NewRef(entry.Kind, "", service), data)
	if err != nil {
		return pipeline{}, fmt.Errorf("expand the %s pipeline: %w", kind, err)
	}
	return pipeline{Kind: entry.Kind, Input: input, Stack: stack}, nil
}

// newInput gives every component its image, and a free host port to every port that has an attribute.
func newInput(defaults []contract.Component, images devenv.Images) (map[string]object, error) {
	input := map[string]object{}
	for _, c := range defaults {
		if images[c.Name] == "" {
			return nil, fmt.Errorf("there is no image for %s", c.Name)
		}
		input[c.InputPath] = object{"image": images[c.Name]}
	}
	var attributes []string
	for _, c := range defaults {
		for _, p := range c.Ports {
			if p.Attribute != "" {
				attributes = append(attributes, p.Attribute)
			}
		}
	}
	ports, err := devenv.FreePorts(len(attributes))
	if err != nil {
		return nil, err
	}
	for i, attribute := range attributes {
		block, name, _ := strings.Cut(attribute, ".")
		input[block][name] = ports[i]
	}
	return input, nil
}

// configuration is the pipeline as a Terraform configuration in JSON syntax. Attribute names are those of the input's JSON.
// verify is what the other contestants do not do: to write something and read it back.
func (p pipeline) configuration(verify bool) ([]byte, error) {
	attributes := object{"service_name": p.Stack.Ref.Service, "delete_volumes": true, "verify": verify}
	for name, block := range p.Input {
		attributes[name] = block
	}
	return json.MarshalIndent(object{
		"terraform": object{"required_providers": object{"orch": object{"source": "temporal-orchestrator/orch"}}},
		"resource":  object{"orch_" + p.Kind.Name: object{"bench": attributes}},
	}, "", "  ")
}

// secretFile is a file in /run/secrets with the content that a benchmark gives it.
type secretFile struct {
	contract.Secret
	file, content string
}

// secretFiles are the files of a component's secrets: the values, and the forms that processes read.
func secretFiles(c contract.Component) []secretFile {
	var files []secretFile
	for _, s := range c.Secrets {
		files = append(files, secretFile{s, s.Name, benchSecret})
		if s.Rendered != nil {
			files = append(files, secretFile{s, s.Rendered.Name, fmt.Sprintf(s.Rendered.Format, benchSecret)})
		}
	}
	return files
}
