package e2e

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// pipeline is the configuration of one orch_logs_pipeline. The slices are further lines of HCL.
type pipeline struct {
	service                           string
	grpc, http, loki, grafana         int
	images                            imageSet
	head                              []string // before the provider block, for example a variable
	provider, top                     []string
	collectorMore, lokiMore, grafMore []string
}

// newPipeline is a service of its own, on ports of its own, that destroy removes with its volumes. What a failed test
// leaves of it is purged.
func newPipeline(t *testing.T, name string) *pipeline {
	t.Helper()
	p := &pipeline{service: uniqueName(name), images: setting.images, top: []string{"delete_volumes = true"}}
	for _, port := range []*int{&p.grpc, &p.http, &p.loki, &p.grafana} {
		*port = reservePort(t)
	}
	t.Cleanup(func() { purge(t, p.service) })
	return p
}

const requiredProviders = `terraform {
  required_providers {
    orch = { source = "temporal-orchestrator/orch" }
  }
}`

// defaultPort leaves a port out of the configuration.
const defaultPort = -99

func uniqueName(name string) string {
	var suffix [3]byte
	_, _ = rand.Read(suffix[:]) // never fails
	return "e2e-" + name + "-" + hex.EncodeToString(suffix[:])
}

func (p *pipeline) ref() contract.Ref { return contract.NewRef(contract.LogsPipeline, "", p.service) }

func (p *pipeline) container(component string) string { return p.ref().Container(component) }

// hcl is the configuration; address is the Temporal server's.
func (p *pipeline) hcl(address string) string {
	head := append([]string{requiredProviders}, p.head...)
	head = append(head, "provider \"orch\" {")
	if address != "" {
		head = append(head, fmt.Sprintf("  address = %q", address))
	}
	return strings.Join(append(append(head, p.provider...), "}", p.block("it")), "\n")
}

// block is the resource alone.
func (p *pipeline) block(label string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	lines := func(indent string, all []string) {
		for _, l := range all {
			line("%s%s", indent, l)
		}
	}
	line("resource \"orch_logs_pipeline\" %q {\n  service_name = %q", label, p.service)
	lines("  ", p.top)
	if isVariant(p.images.loki) {
		line("  verify = false") // it stands in for Loki's readiness alone, so no line would come back from it
	}
	component := func(name, image string, more []string, ports ...any) {
		line("  %s = {", name)
		if image != "" {
			line("    image = %q", image)
		}
		for i := 0; i < len(ports); i += 2 {
			if ports[i+1] == defaultPort {
				continue
			}
			line("    %s = %d", ports[i], ports[i+1])
		}
		lines("    ", more)
		line("  }")
	}
	component("collector", p.images.collector, p.collectorMore, "grpc_port", p.grpc, "http_port", p.http)
	component("loki", p.images.loki, p.lokiMore, "port", p.loki)
	component("grafana", p.images.grafana, p.grafMore, "port", p.grafana)
	line("}")
	return b.String()
}
