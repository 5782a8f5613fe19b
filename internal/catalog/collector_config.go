package catalog

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// collectorSections are the top-level keys of a Collector's configuration.
var collectorSections = []string{"receivers", "processors", "exporters", "connectors", "extensions", "service"}

// promtailSections are some of those that only Promtail's has.
var promtailSections = []string{"scrape_configs", "clients", "client", "positions", "target_config"}

const promtailHint = "this is a configuration of Promtail, which has reached its end of life: convert it with " +
	"`alloy convert --source-format=promtail`, or write its scrape_configs as file_log receivers of the OpenTelemetry Collector " +
	"(paths go to log_paths, the client's URL to loki_endpoint)"

const healthHint = "the configuration must have the extension health_check with endpoint \"0.0.0.0:13133\", also under " +
	"service.extensions: it is how orch sees that the Collector is ready and has reloaded"

// checkCollectorConfig finds what can be seen of a rendered configuration without a Collector; the rest is found by the
// Collector's own validation, before anything is changed.
func checkCollectorConfig(attribute, text string) []Problem {
	problem := func(format string, args ...any) []Problem {
		return []Problem{{attribute, fmt.Sprintf(format, args...)}}
	}
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return problem("the rendered configuration is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	sections := sectionsOf(document)
	if sections == nil {
		return problem("the rendered configuration is empty or no mapping; a Collector's has the sections %s", strings.Join(collectorSections, ", "))
	}
	for _, section := range sections {
		switch name := section.Value; {
		case slices.Contains(promtailSections, name):
			return problem("%s", promtailHint)
		case !slices.Contains(collectorSections, name):
			return problem("line %d of the rendered configuration: a Collector knows no section %q, only %s",
				section.Line, name, strings.Join(collectorSections, ", "))
		}
	}
	var config struct {
		Extensions map[string]struct {
			Endpoint string `yaml:"endpoint"`
		} `yaml:"extensions"`
		Service struct {
			Extensions []string             `yaml:"extensions"`
			Pipelines  map[string]yaml.Node `yaml:"pipelines"`
		} `yaml:"service"`
	}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		return problem("the rendered configuration is not a Collector's: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(config.Service.Pipelines) == 0 {
		return problem("the rendered configuration has no pipeline under service.pipelines, so it does nothing")
	}
	if config.Extensions["health_check"].Endpoint != "0.0.0.0:13133" || !slices.Contains(config.Service.Extensions, "health_check") {
		return problem("%s", healthHint)
	}
	return nil
}

// sectionsOf are the keys of a document that is a mapping, in order.
func sectionsOf(document yaml.Node) []*yaml.Node {
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	var keys []*yaml.Node
	for i := 0; i < len(document.Content[0].Content); i += 2 {
		keys = append(keys, document.Content[0].Content[i])
	}
	return keys
}
