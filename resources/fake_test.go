package resources_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/runner"
	"github.com/temporal-orchestrator/terraform-provider-orch/provider"
	"github.com/temporal-orchestrator/terraform-provider-orch/resources"
)

const engineID = "ENGINE:1"

// noInput is the input of a service that sets nothing but its name.
const noInput = `{"bind_address":null,"labels":null,"pull_policy":null,"registry_mirror":null,"collector":null,"loki":null,"grafana":null}`

// fakeRunner carries operations out on services in memory, by the rules that worker and runner keep. It is strict: an
// operation that the test does not expect, and a request that the worker would not understand, fail the test.
type fakeRunner struct {
	t  testing.TB
	mu sync.Mutex
	// expected are the setups and cleanups to come, such as "create app" or, for other kinds than logs, "create metrics/app", in
	// order unless unordered is set.
	expected  []string
	unordered bool
	// outcome, when set, takes the place of the next setup or cleanup.
	outcome func(call runner.Call, started func()) error
	// wait, when set, takes the place of the next setup too, but gives the caller's interrupt to it.
	wait func(done <-chan struct{}) error
	// after, when set, alters the result of the next setup.
	after    func(*contract.Result)
	services map[string]*fakeService
	// grafana are findings about a Grafana that is not the service's own, by the service's id.
	grafana  map[string][]string
	inFlight map[string]contract.Operation
	secrets  map[string]string // last ones received
	request  contract.Request  // of the last setup or cleanup
	queue    string            // last queue used
	config   runner.Config
	statuses int
	runs     int
	err      error // answer of Status and InFlight
}

// fakeService is what the engine has of a service.
type fakeService struct {
	stack  contract.Stack
	input  json.RawMessage
	states map[string]contract.ComponentState
	run    string
}

func newFake(t testing.TB) *fakeRunner {
	f := &fakeRunner{t: t, services: map[string]*fakeService{}, grafana: map[string][]string{}, inFlight: map[string]contract.Operation{}}
	t.Cleanup(func() {
		if len(f.expected) > 0 {
			t.Errorf("operations that never came: %q", f.expected)
		}
		for id := range f.services {
			t.Errorf("%s is left", id)
		}
	})
	return f
}

// factories serve the provider in this process, connected to f.
func (f *fakeRunner) factories() map[string]func() (tfprotov6.ProviderServer, error) {
	connect := func(cfg runner.Config) (resources.Runner, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.config = cfg
		return f, nil
	}
	return map[string]func() (tfprotov6.ProviderServer, error){
		"orch": providerserver.NewProtocol6WithError(provider.NewWith("test", connect)()),
	}
}

// expect announces operations; it is meant for PreConfig.
func (f *fakeRunner) expect(operations ...string) func() {
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.expected) > 0 {
			f.t.Errorf("operations that never came: %q", f.expected)
		}
		f.expected = operations
	}
}

// set changes what f will do.
func (f *fakeRunner) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// change alters a component of a logs pipeline behind the provider's back.
func (f *fakeRunner) change(service, component string, alter func(*contract.ComponentState)) {
	f.t.Helper()
	f.changeOf(contract.LogsPipeline, service, component, alter)
}

// changeOf alters a component behind the provider's back.
func (f *fakeRunner) changeOf(kind contract.Kind, service, component string, alter func(*contract.ComponentState)) {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.services[contract.NewRef(kind, "", service).ID()]
	if !ok {
		f.t.Fatalf("no service %s", service)
	}
	state, ok := s.states[component]
	if !ok {
		f.t.Fatalf("no component %s", component)
	}
	alter(&state)
	s.states[component] = state
}

// stop is what `docker stop` does to a component.
func stop(c *contract.ComponentState) {
	c.State, c.Health, c.Drift = "exited", contract.HealthNotReady, []string{"stopped (exit code 137)"}
}

// Queue implements resources.Runner.
func (f *fakeRunner) Queue(resourceQueue, service string) string {
	switch {
	case resourceQueue != "":
		return resourceQueue
	case f.config.TaskQueue != "":
		return f.config.TaskQueue
	default:
		return contract.TaskQueue(service)
	}
}

// InFlight implements resources.Runner.
func (f *fakeRunner) InFlight(_ context.Context, ref contract.Ref) (contract.Operation, runner.Run, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	op, running := f.inFlight[ref.ID()]
	return op, runner.Run{WorkflowID: ref.ID(), RunID: "run-in-flight"}, running, f.err
}

// Status implements resources.Runner.
func (f *fakeRunner) Status(_ context.Context, call runner.Call, result any) (runner.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.statuses++
	if f.err != nil {
		return runner.Run{}, f.err
	}
	r := call.Request
	ref := f.check(call, call.Kind.StatusWorkflow(), contract.OpStatus)
	observed, ok := result.(*contract.Observed)
	if !ok {
		f.t.Errorf("a status workflow returns Observed, not %T", result)
		return runner.Run{}, fmt.Errorf("wrong result type %T", result)
	}
	s, ok := f.services[ref.ID()]
	if !ok {
		*observed = contract.Observed{EngineID: engineID}
		return runner.Run{}, nil
	}
	*observed = contract.Observed{EngineID: engineID, Found: true, Input: s.input, Grafana: f.grafana[ref.ID()]}
	drifted := len(r.Input) > 0 && !sameJSON(r.Input, s.input)
	for _, name := range slices.Sorted(maps.Keys(s.states)) {
		state := s.states[name]
		if drifted {
			state.Drift = append(slices.Clone(state.Drift), "was made from another configuration")
		}
		observed.Components = append(observed.Components, state)
	}
	return runner.Run{}, nil
}

// Run implements resources.Runner.
func (f *fakeRunner) Run(ctx context.Context, call runner.Call, result any, onStarted func(runner.Run)) (runner.Run, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := call.Request
	doing := string(r.Operation) + " " + r.ServiceName
	if call.Kind != contract.LogsPipeline {
		doing = string(r.Operation) + " " + call.Kind.Short + "/" + r.ServiceName
	}
	at := slices.Index(f.expected, doing)
	if at < 0 || at > 0 && !f.unordered {
		f.t.Errorf("unexpected %q, expected %q", doing, f.expected)
		return runner.Run{}, fmt.Errorf("the test does not expect %q", doing)
	}
	f.expected = slices.Delete(f.expected, at, at+1)
	workflow := call.Kind.SetupWorkflow()
	if r.Operation == contract.OpDelete {
		workflow = call.Kind.CleanupWorkflow()
	}
	ref := f.check(call, workflow, r.Operation)
	f.runs++
	run := runner.Run{WorkflowID: ref.ID(), RunID: fmt.Sprintf("run-%d", f.runs)}
	run.WebUIURL = "http://127.0.0.1:8233/" + run.RunID
	f.queue, f.secrets, f.request = call.TaskQueue, r.Secrets, r
	if outcome := f.outcome; outcome != nil {
		f.outcome = nil
		return run, outcome(call, func() { onStarted(run) })
	}
	onStarted(run)
	if wait := f.wait; wait != nil {
		f.wait = nil
		return run, wait(ctx.Done())
	}
	if r.Operation == contract.OpDelete {
		return run, f.remove(ref, r, result)
	}
	return run, f.converge(call.Kind, ref, r, run.RunID, result)
}

// check holds a request against what the worker accepts, and returns what it is about.
func (f *fakeRunner) check(call runner.Call, workflow string, op contract.Operation) contract.Ref {
	r := call.Request
	ref := r.Ref(call.Kind)
	if err := ref.Validate(); err != nil {
		f.t.Error(err)
	}
	if call.WorkflowType != workflow || r.Operation != op {
		f.t.Errorf("kind %v, workflow %s, operation %q: want workflow %s, operation %q", call.Kind, call.WorkflowType, r.Operation, workflow, op)
	}
	if call.Timeout <= 0 || call.TaskQueue == "" {
		f.t.Errorf("call without timeout or queue: %+v", call)
	}
	if r.EngineID != engineID && (r.EngineID != "" || op == contract.OpUpdate) {
		f.t.Errorf("%s names engine %q, and the service lives on %q", op, r.EngineID, engineID)
	}
	if r.Input == nil && op != contract.OpStatus {
		f.t.Errorf("%s without input", op)
	}
	if r.Verify != nil && (*r.Verify || op != contract.OpCreate && op != contract.OpUpdate) {
		f.t.Errorf("verify = %v of %s", *r.Verify, op)
	}
	if r.Input != nil {
		f.checkSecrets(f.expand(call.Kind, ref, r.Input), r)
	}
	return ref
}

// checkSecrets expects that the worker has a place for every secret, and that a status or cleanup carries none.
func (f *fakeRunner) checkSecrets(stack contract.Stack, r contract.Request) {
	places := map[string]bool{contract.CloudflareToken: stack.Cloudflare != nil}
	for _, c := range stack.Components {
		for _, s := range c.Secrets {
			places[c.Name+"/"+s.Name] = s.Version != nil
		}
	}
	for name := range r.Secrets {
		if !places[name] || r.Operation == contract.OpStatus || r.Operation == contract.OpDelete {
			f.t.Errorf("%s carries secret %q", r.Operation, name)
		}
	}
}

// expand is what the worker makes of an input.
func (f *fakeRunner) expand(kind contract.Kind, ref contract.Ref, input json.RawMessage) contract.Stack {
	for _, entry := range catalog.All() {
		if entry.Kind != kind {
			continue
		}
		stack, err := entry.Expand(ref, input)
		if err != nil {
			f.t.Errorf("the worker refuses the input: %v", err)
		}
		return stack
	}
	f.t.Errorf("no kind %v", kind)
	return contract.Stack{}
}

// checkJoins expects that every network that the stack joins, and the service whose password it uses, is there.
func (f *fakeRunner) checkJoins(stack contract.Stack) {
	networks := map[string]bool{}
	for _, s := range f.services {
		networks[s.stack.Ref.Network()] = true
	}
	for _, c := range stack.Components {
		for _, join := range c.Joins {
			if !networks[join.Network] {
				f.t.Errorf("%s of %s joins network %s, which is not there", c.Name, stack.Ref.ID(), join.Network)
			}
		}
	}
}

func (f *fakeRunner) remove(ref contract.Ref, r contract.Request, result any) error {
	removed, ok := result.(*contract.Removed)
	if !ok {
		return fmt.Errorf("wrong result type %T", result)
	}
	if !r.DeleteVolumes && f.services[ref.ID()] != nil {
		removed.KeptVolumes = []string{ref.Volume("loki", "data")}
	}
	delete(f.services, ref.ID())
	for _, s := range f.services {
		f.checkJoins(s.stack)
	}
	return nil
}

func (f *fakeRunner) converge(kind contract.Kind, ref contract.Ref, r contract.Request, runID string, result any) error {
	out, ok := result.(*contract.Result)
	if !ok {
		return fmt.Errorf("wrong result type %T", result)
	}
	stack := f.expand(kind, ref, r.Input)
	f.checkJoins(stack)
	*out = contract.Result{Message: messageOf(kind), EngineID: engineID}
	if r.Verify == nil {
		for i, c := range stack.Canaries {
			out.Verification = append(out.Verification, contract.Proof{Signal: c.Signal, LatencyMS: int64(40 + i)})
		}
	}
	if existing := f.services[ref.ID()]; existing != nil && r.Operation == contract.OpCreate {
		if !sameJSON(existing.input, r.Input) {
			return fmt.Errorf("exists with other input")
		}
		out.Adopted = &contract.Adoption{RunID: existing.run, Created: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	}
	s := &fakeService{stack: stack, input: r.Input, states: map[string]contract.ComponentState{}, run: runID}
	for _, c := range stack.Components {
		s.states[c.Name] = contract.ComponentState{
			Name: c.Name, Container: c.Container, Image: c.Image, Digest: "sha256:" + c.Name + c.Image, State: "running", Health: contract.HealthReady,
		}
		out.Components = append(out.Components, s.states[c.Name])
	}
	f.services[ref.ID()] = s
	delete(f.grafana, ref.ID())
	if f.after != nil {
		f.after(out)
		f.after = nil
	}
	return nil
}

// exists puts a service in place that somebody made before.
func (f *fakeRunner) exists(service, input string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ref := contract.NewRef(contract.LogsPipeline, "", service)
	request := contract.Request{ServiceName: service, Operation: contract.OpConverge, Input: json.RawMessage(input)}
	if err := f.converge(contract.LogsPipeline, ref, request, "run-before", new(contract.Result)); err != nil {
		f.t.Fatal(err)
	}
}

func sameJSON(a, b json.RawMessage) bool {
	return contract.Request{Input: a}.Digest() == contract.Request{Input: b}.Digest()
}

// hcl is a configuration with the resource orch_logs_pipeline.app and these attributes.
func hcl(attributes ...string) string { return hclOf(contract.LogsPipeline, attributes...) }

// hclOf is a configuration with the resource app of that kind and these attributes.
func hclOf(kind contract.Kind, attributes ...string) string {
	return "resource \"orch_" + kind.Name + "\" \"app\" {\n  " + strings.Join(attributes, "\n  ") + "\n}\n"
}

// messageOf is what a finished setup of that kind says.
func messageOf(kind contract.Kind) string {
	for _, entry := range catalog.All() {
		if entry.Kind == kind {
			return entry.Message
		}
	}
	return ""
}
