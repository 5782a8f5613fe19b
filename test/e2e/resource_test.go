package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/test/demo/devenv"
)

// resource is the configuration of one pipeline of any kind. Its blocks follow from the catalog: every component has the
// image under test, and every port that can be set is a free one.
type resource struct {
	kind    contract.Kind
	label   string
	service string
	// head are lines before the resource, for example a variable.
	head, top []string
	// blocks hold the attributes of the components' blocks, as HCL expressions.
	blocks    map[string]map[string]string
	explained bool
}

// newResource is a service of its own that destroy removes with its volumes. What a failed test leaves of it is purged.
func newResource(t *testing.T, kind contract.Kind, name string) *resource {
	t.Helper()
	r := &resource{kind: kind, label: "it", service: uniqueName(name), top: []string{"delete_volumes = true"}, blocks: map[string]map[string]string{}}
	for _, c := range defaultStack(t, kind).Components {
		r.blocks[c.InputPath] = map[string]string{}
		if image := imageOf(t, c.Name); image != "" {
			r.blocks[c.InputPath]["image"] = strconv.Quote(image)
		}
		for _, p := range c.Ports {
			if p.Attribute == "" {
				continue
			}
			block, attribute, _ := strings.Cut(p.Attribute, ".")
			r.blocks[block][attribute] = strconv.Itoa(reservePort(t))
		}
	}
	t.Cleanup(func() { purge(t, r.service) })
	return r
}

// defaultStack is what a kind consists of when nothing is set.
func defaultStack(t *testing.T, kind contract.Kind) contract.Stack {
	t.Helper()
	for _, entry := range catalog.All() {
		if entry.Kind == kind {
			stack, err := entry.Expand(contract.NewRef(kind, "", "any"), entry.Minimal)
			require.NoError(t, err)
			return stack
		}
	}
	t.Fatalf("the catalog has no %s", kind.Name)
	return contract.Stack{}
}

// defaultImages are the images under test by the names of the defaults that they stand in for.
func defaultImages(t *testing.T) map[string]string {
	t.Helper()
	images := map[string]string{}
	for _, kind := range contract.Kinds(contract.Stacks) {
		for _, c := range defaultStack(t, kind).Components {
			if c.InputPath != "" { // else it is an image of the user's own
				images[c.Image] = imageOf(t, c.Name)
			}
		}
	}
	return images
}

// defaultPorts are the host ports that pipelines of all kinds use by default.
func defaultPorts(t *testing.T) []int {
	t.Helper()
	var ports []int
	for _, kind := range contract.Kinds(contract.Stacks) {
		for _, c := range defaultStack(t, kind).Components {
			for _, p := range c.Ports {
				if p.Attribute != "" {
					ports = append(ports, p.Host)
				}
			}
		}
	}
	return ports
}

// imageOf is the image of a component that ORCH_TEST_IMAGES asks for; empty leaves it to the provider.
func imageOf(t *testing.T, component string) string {
	t.Helper()
	set := map[string]devenv.Images{"": devenv.Doubles, "doubles": devenv.Doubles, "local": devenv.Local, "upstream": {}}[os.Getenv(environmentImages)]
	image := set[component]
	if image == "" {
		return ""
	}
	require.True(t, exists("image", image), "image %s is missing\n  next: test/images/build.sh %s", image, strings.Join(set.Of(component).Builds(), " "))
	return image
}

func (r *resource) ref() contract.Ref { return contract.NewRef(r.kind, "", r.service) }

func (r *resource) container(component string) string { return r.ref().Container(component) }

// components are the names of what the resource runs.
func (r *resource) components(t *testing.T) []string {
	t.Helper()
	names := catalog.Names(defaultStack(t, r.kind))
	if _, shared := r.blocks["grafana"]["url"]; shared {
		names = slices.DeleteFunc(names, func(name string) bool { return name == catalog.GrafanaName })
	}
	return names
}

// url is where a port is reached, for example that of "grafana.port".
func (r *resource) url(attribute string) string {
	block, name, _ := strings.Cut(attribute, ".")
	return "http://127.0.0.1:" + r.blocks[block][name]
}

// address is the resource's in Terraform.
func (r *resource) address() string { return "orch_" + r.kind.Name + "." + r.label }

func (r *resource) set(block, attribute, expression string) { r.blocks[block][attribute] = expression }

func (r *resource) hcl() string {
	var b strings.Builder
	for _, line := range r.head {
		b.WriteString(line + "\n")
	}
	fmt.Fprintf(&b, "resource \"orch_%s\" %q {\n  service_name = %q\n", r.kind.Name, r.label, r.service)
	for _, line := range r.top {
		b.WriteString("  " + line + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(r.blocks)) {
		fmt.Fprintf(&b, "  %s = {\n", name)
		for _, attribute := range slices.Sorted(maps.Keys(r.blocks[name])) {
			fmt.Fprintf(&b, "    %s = %s\n", attribute, r.blocks[name][attribute])
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// useAll writes resources as the world's configuration.
func (w *world) useAll(all ...*resource) {
	w.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nprovider \"orch\" {\n  address = %q\n}\n", requiredProviders, w.server.address())
	for _, r := range all {
		b.WriteString(r.hcl())
	}
	w.write(b.String())
	for _, r := range all {
		r.explain(w)
	}
}

// explain prints what is there and what the worker did, once, when the test failed.
func (r *resource) explain(w *world) {
	if r.explained {
		return
	}
	r.explained = true
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("objects of %s: %v\nworker's log:\n%s", r.service, objects(w.t, r.service), w.server.logAbout(r.service))
		}
	})
}

// inState are the attributes of one of several resources.
func (w *world) inState(r *resource) map[string]any {
	w.t.Helper()
	data, err := os.ReadFile(w.stateFile())
	require.NoError(w.t, err)
	var state struct {
		Resources []struct {
			Type, Name string
			Instances  []struct{ Attributes map[string]any }
		}
	}
	require.NoError(w.t, json.Unmarshal(data, &state))
	for _, found := range state.Resources {
		if found.Type+"."+found.Name == r.address() && len(found.Instances) > 0 {
			return found.Instances[0].Attributes
		}
	}
	w.t.Fatalf("%s is not in state", r.address())
	return nil
}

// verified are the latencies of the canaries in state, by signal.
func (w *world) verified(r *resource) map[string]float64 {
	w.t.Helper()
	out := map[string]float64{}
	verification, _ := w.inState(r)["verification"].(map[string]any)
	for signal, latency := range verification {
		number, ok := latency.(float64)
		require.True(w.t, ok, "the latency of %s is a number", signal)
		out[signal] = number
	}
	return out
}

// secretOf asks the worker for a secret that it made.
func secretOf(t *testing.T, s *server, r *resource, component string) string {
	t.Helper()
	exit, out := s.orchWorker(t, "secret", r.kind.Short, r.service, component)
	require.Zero(t, exit)
	require.NotEmpty(t, strings.TrimSpace(out))
	return strings.TrimSpace(out)
}
