package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// scenario is one demo: an example, what it needs, and what is proven of it.
type scenario struct {
	// target is the make target; its files are in .cache under that name.
	target string
	// example is a directory of examples.
	example string
	// kinds are the pipelines that the example makes, one of each, under one service name.
	kinds []contract.Kind
	// components are those that need an image, in the order in which they are shown.
	components []string
	// patience says what to expect of the first build of the local images.
	patience string
	// prove sends and reads back.
	prove func(ctx context.Context, d *demo, made pipelines) error
	// grafana is the kind of pipeline that owns the Grafana.
	grafana contract.Kind
	// done is what the demo can say at the end.
	done string
	// again is what running the target again does.
	again string
}

const fullScenarioTarget = "demo-full"

var logsScenario = scenario{
	target: "demo", example: "demo", kinds: []contract.Kind{contract.LogsPipeline},
	components: []string{catalog.CollectorName, catalog.LokiName, catalog.GrafanaName},
	patience:   "the real Collector and Loki take about 15 minutes on two cores the first time",
	prove:      proveLogs, grafana: contract.LogsPipeline,
	done:  "the logs pipeline is up, and a line went through it",
	again: "applies again and sends another line",
}

var fullScenario = scenario{
	target: fullScenarioTarget, example: "observability",
	kinds:      []contract.Kind{contract.TracingPipeline, contract.MetricsPipeline, contract.LogsPipeline},
	components: []string{catalog.CollectorName, catalog.LokiName, catalog.PrometheusName, catalog.JaegerName, catalog.GrafanaName},
	patience:   "the real Collector, Loki, Prometheus and Jaeger take about 25 minutes on two cores the first time",
	prove:      proveSignals, grafana: contract.TracingPipeline,
	done:  "three pipelines are up with one Grafana; a log line, a metric and a trace went through them, and lead to each other",
	again: "applies again and sends another line, metric and trace",
}

// serviceVariable names the service of the examples in the environment.
const serviceVariable = "TF_VAR_service_name"

// refs are the services that the example makes, in the provider's default scope.
func (s scenario) refs() []contract.Ref {
	name := os.Getenv(serviceVariable)
	if name == "" {
		name = "app" // the default of the examples
	}
	var refs []contract.Ref
	for _, kind := range s.kinds {
		refs = append(refs, contract.NewRef(kind, "", name))
	}
	return refs
}

// made is a pipeline as state holds it.
type made struct {
	Service       string               `json:"service_name"`
	Endpoints     map[string]string    `json:"endpoints"`
	Containers    map[string]container `json:"containers"`
	DatasourceUID string               `json:"datasource_uid"`
	Verification  map[string]int64     `json:"verification"`
	WebUIURL      string               `json:"web_ui_url"`
}

type container struct {
	Name   string `json:"name"`
	Image  string `json:"image"`
	State  string `json:"state"`
	Health string `json:"health"`
}

// pipelines are what an example made, by the name of their kind.
type pipelines map[string]made

// read finds the scenario's pipelines in state.
func (s scenario) read(ctx context.Context, tf devenv.Terraform) (pipelines, error) {
	resources, err := tf.Resources(ctx)
	if err != nil {
		return nil, err
	}
	all := pipelines{}
	for _, r := range resources {
		var p made
		if err := json.Unmarshal(r.Values, &p); err != nil {
			return nil, fmt.Errorf("%s.%s in state: %w", r.Type, r.Name, err)
		}
		all[r.Type] = p
	}
	for _, kind := range s.kinds {
		if _, ok := all[typeOf(kind)]; !ok {
			return nil, fmt.Errorf("examples/%s has made no %s", s.example, typeOf(kind))
		}
	}
	return all, nil
}

func typeOf(kind contract.Kind) string { return "orch_" + kind.Name }

func (p pipelines) of(kind contract.Kind) made { return p[typeOf(kind)] }
