package main

import (
	"encoding/json"
	"fmt"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// pipeline is one contestant's logs pipeline: the same for all but for names and host ports.
type pipeline struct {
	Input catalog.LogsPipelineInput
	Stack contract.Stack
}

// newPipeline expands the catalog's logs pipeline, so that all contestants make what orch makes, whatever that is.
func newPipeline(service string, images devenv.Images) (pipeline, error) {
	ports, err := devenv.FreePorts(4)
	if err != nil {
		return pipeline{}, err
	}
	in := input(images, ports)
	stack, err := catalog.LogsPipeline.Stack(contract.NewRef(contract.LogsPipeline, "", service), in)
	if err != nil {
		return pipeline{}, fmt.Errorf("expand the logs pipeline: %w", err)
	}
	return pipeline{Input: in, Stack: stack}, nil
}

func input(images devenv.Images, ports []int) catalog.LogsPipelineInput {
	port := func(i int) *int64 { p := int64(ports[i]); return &p }
	return catalog.LogsPipelineInput{
		Collector: &catalog.CollectorInput{Container: catalog.Container{Image: &images.Collector}, GRPCPort: port(0), HTTPPort: port(1)},
		Loki:      &catalog.LokiInput{Container: catalog.Container{Image: &images.Loki}, Port: port(2)},
		Grafana:   &catalog.GrafanaInput{Container: catalog.Container{Image: &images.Grafana}, Port: port(3)},
	}
}

// configuration is the pipeline as a Terraform configuration in JSON syntax. Attribute names are those of the input's JSON.
func (p pipeline) configuration() ([]byte, error) {
	data, err := json.Marshal(p.Input)
	if err != nil {
		return nil, err
	}
	attributes := map[string]any{}
	if err := json.Unmarshal(data, &attributes); err != nil {
		return nil, err
	}
	attributes["service_name"] = p.Stack.Ref.Service
	attributes["delete_volumes"] = true
	type object = map[string]any
	return json.MarshalIndent(object{
		"terraform": object{"required_providers": object{"orch": object{"source": "temporal-orchestrator/orch"}}},
		"resource":  object{"orch_logs_pipeline": object{"bench": attributes}},
	}, "", "  ")
}
