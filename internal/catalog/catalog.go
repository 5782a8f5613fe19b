package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// Pipeline is one row of the catalog: a kind, what it consists of, and what it tells. In is the input as written in HCL:
// a struct whose pointers are nil where an attribute is absent.
type Pipeline[In any] struct {
	Kind contract.Kind
	// Message is what a finished setup says.
	Message string
	// CleanupMessage is what a finished cleanup says; empty is "<id> removed".
	CleanupMessage string
	// Retry is how the kind's activities are tried; zero is PipelineRetry.
	Retry Retry
	// Minimal is the least input that the kind takes; nil where a name is enough.
	Minimal json.RawMessage
	// Shared returns the settings that all components have in common.
	Shared func(in In) Shared
	// Complete makes explicit what follows from the rest of an input and is to stay as it was reviewed, such as a rendered
	// configuration; nil leaves the input as written. An error is a Problem.
	Complete func(ref contract.Ref, in In) (In, error)
	// Components builds the components in the order of the steps. Placement, labels and input are filled in by Stack.
	Components func(ref contract.Ref, in In) []contract.Component
	// Recorded is what the containers' labels keep of the input: all of it, but for what one run is told and nobody wrote. Nil
	// keeps everything.
	Recorded func(in In) In
	// Cloudflare tells what must be as described before anything is made; nil functions and results check nothing.
	Cloudflare func(in In) *contract.CloudflareCheck
	// Grafana tells what goes into a Grafana that the service does not own; nil functions and results mean nothing.
	Grafana func(ref contract.Ref, in In) *contract.GrafanaObjects
	// Canaries prove that the service does its work.
	Canaries func(ref contract.Ref, in In) []contract.Canary
	// DatasourceUID is the uid of the service's data source in Grafana, for others to link to; nil when it has none.
	DatasourceUID func(ref contract.Ref, in In) string
	// Endpoints tells where the service is reached, by name: from the host, and those that end in "_internal" from
	// containers of other pipelines, which join its network.
	Endpoints func(ref contract.Ref, in In) map[string]string
	// Check finds what a single attribute's rule cannot see. It is called by Validate, after the common rules.
	Check func(in In) []Problem
}

// Problem is a value that cannot work, and the attribute that holds it.
type Problem struct {
	// Attribute is a dotted path, for example "loki.port".
	Attribute string
	Message   string
}

// Error makes a Problem an error.
func (p Problem) Error() string { return p.Attribute + ": " + p.Message }

// Retry is how activities are tried.
type Retry struct {
	// Initial and Max bound the time between two attempts.
	Initial, Max time.Duration
	Attempts     int32
	// Timeout is how long one attempt may take.
	Timeout time.Duration
}

// PipelineRetry is for what starts from images that are there or pulled.
var PipelineRetry = Retry{Initial: time.Second, Max: 10 * time.Second, Attempts: 3, Timeout: 5 * time.Minute}

// ChatRetry is for the chat family, whose steps build and ask other systems.
var ChatRetry = Retry{Initial: 2 * time.Second, Max: 10 * time.Second, Attempts: 3, Timeout: 10 * time.Minute}

// Shared are the settings that every kind has at its top level.
type Shared struct {
	// BindAddress is the host address that ports are published on; null is 127.0.0.1.
	BindAddress *string `json:"bind_address"`
	// Labels are added to every container.
	Labels map[string]string `json:"labels"`
	// PullPolicy is "missing" (default), "always" or "never".
	PullPolicy *string `json:"pull_policy"`
	// RegistryMirror takes the place of Docker Hub for images that name no registry.
	RegistryMirror *string `json:"registry_mirror"`
}

// Container are the settings that every component has.
type Container struct {
	Image    *string  `json:"image"`
	MemoryMB *int64   `json:"memory_mb"`
	CPUs     *float64 `json:"cpus"`
}

// Completed is an input with everything in it that is to be as reviewed. What is complete stays as it is.
func (p Pipeline[In]) Completed(ref contract.Ref, in In) (In, error) {
	if p.Complete == nil {
		return in, nil
	}
	return p.Complete(ref, in)
}

// Stack expands an input into what the engine is to make.
func (p Pipeline[In]) Stack(ref contract.Ref, in In) (contract.Stack, error) {
	shared := p.Shared(in)
	in, err := p.Completed(ref, in)
	if err != nil {
		return contract.Stack{}, err
	}
	stack := contract.Stack{Ref: ref, PullPolicy: or(shared.PullPolicy, contract.PullMissing), Components: p.Components(ref, in)}
	written, err := p.written(in)
	if err != nil {
		return contract.Stack{}, err
	}
	for i := range stack.Components {
		c := &stack.Components[i]
		c.Container, c.Network = ref.Container(c.Name), ref.Network()
		if c.Build == nil {
			c.Image = mirrored(c.Image, or(shared.RegistryMirror, ""))
		}
		c.Labels = maps.Clone(shared.Labels)
		for j := range c.Ports {
			// A port that only the probe uses is nobody's business outside the host.
			if c.Ports[j].Bind == "" {
				c.Ports[j].Bind = or(shared.BindAddress, DefaultBindAddress)
			}
		}
		if err := keepInput(c, written.of(*c, stack.Components)); err != nil {
			return contract.Stack{}, err
		}
	}
	if p.Cloudflare != nil {
		stack.Cloudflare = p.Cloudflare(in)
	}
	if p.Grafana != nil {
		stack.Grafana = p.Grafana(ref, in)
	}
	if p.Canaries != nil {
		stack.Canaries = p.Canaries(ref, in)
	}
	return stack, nil
}

// written is an input as a map of its top-level attributes, each as written. What was not written is absent.
type written map[string]json.RawMessage

func (p Pipeline[In]) written(in In) (written, error) {
	if p.Recorded != nil {
		in = p.Recorded(in)
	}
	return split(in)
}

func split(in any) (written, error) {
	data, err := contract.Encode(in)
	if err != nil {
		return nil, fmt.Errorf("encode input: %w", err)
	}
	w := written{}
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("input is not an object: %w", err)
	}
	return w, nil
}

// of is what a component keeps of the input: its own block and everything that belongs to no component. The parts of all
// components together are the input again, which is how import by name works. Where a component is configured at the top
// level, everything there but the shared settings is its own: a change of it is nobody else's.
func (w written) of(c contract.Component, all []contract.Component) written {
	blocks := map[string]bool{}
	for _, other := range all {
		blocks[other.InputPath] = true
	}
	kept := make(written, len(w))
	for key, value := range w {
		own := key == c.InputPath
		nobodys := !blocks[key] && (c.InputPath == "" || !blocks[""] || sharedKeys[key])
		if own || nobodys {
			kept[key] = value
		}
	}
	return kept
}

// sharedKeys are the names of the shared settings.
var sharedKeys = func() map[string]bool {
	keys, of := map[string]bool{}, reflect.TypeFor[Shared]()
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		keys[name] = true
	}
	return keys
}()

// keepInput puts what a component keeps of the input into it. What the component can change without another container goes
// into a file, because a label stays as long as its container.
func keepInput(c *contract.Component, kept written) error {
	if err := keepLive(c, kept); err != nil {
		return err
	}
	var err error
	c.Input, err = json.Marshal(kept)
	return err
}

// keepLive moves the live attributes, those of the component's block and those in no block, out of what its label holds. The
// file that holds them exists also while it is empty: a first live attribute must not need another container.
func keepLive(c *contract.Component, kept written) error {
	whole, hasBlock := kept[c.InputPath]
	block := written{}
	if hasBlock {
		if err := json.Unmarshal(whole, &block); err != nil {
			return err
		}
	}
	live, ofBlock := map[string]any{}, written{}
	needed := false
	for _, key := range c.LiveKeys {
		if top, is := strings.CutPrefix(key, "."); is {
			needed = true
			if value, has := kept.take(top); has {
				live[top] = value
			}
		} else if value, has := block.take(key); has {
			ofBlock[key] = value
		}
	}
	if !needed && (!hasBlock || len(c.LiveKeys) == 0) {
		return nil
	}
	var err error
	if len(ofBlock) > 0 {
		live[c.InputPath] = ofBlock
		if kept[c.InputPath], err = json.Marshal(block); err != nil {
			return err
		}
	}
	if c.LiveInput, err = json.Marshal(live); err != nil {
		return err
	}
	c.Files = append(c.Files, contract.File{Path: contract.LiveInputPath, Content: string(c.LiveInput), Mode: 0o444, Live: true})
	return nil
}

// take removes an attribute and returns its value, and whether it was written.
func (w written) take(key string) (json.RawMessage, bool) {
	value, has := w[key]
	delete(w, key)
	return value, has
}

// Entry is a Pipeline with its input type erased, so that one list can hold all of them.
type Entry struct {
	Kind           contract.Kind
	Message        string
	CleanupMessage string
	Retry          Retry
	// Minimal is the least input that Expand takes; nil where all defaults will do.
	Minimal json.RawMessage
	// Expand decodes an input (null and absent mean all defaults), validates it and builds the stack. An error is a
	// *contract.StepFailure of class InvalidInput.
	Expand func(ref contract.Ref, input json.RawMessage) (contract.Stack, error)
	// Reach tells of a valid input where the service answers, and the uid of its data source in Grafana, empty when it has none.
	Reach func(ref contract.Ref, input json.RawMessage) (endpoints map[string]string, datasourceUID string, err error)
}

// Entry erases the input type of p.
func (p Pipeline[In]) Entry() Entry {
	entry := Entry{
		Kind: p.Kind, Message: p.Message, CleanupMessage: p.CleanupMessage, Retry: p.Retry, Minimal: p.Minimal, Reach: p.reach,
	}
	entry.Expand = func(ref contract.Ref, input json.RawMessage) (contract.Stack, error) {
		in, err := decode[In](input)
		if err != nil {
			return contract.Stack{}, unreadable(ref, err)
		}
		if err := ref.Validate(); err != nil {
			return contract.Stack{}, contract.Fail(contract.InvalidInput, "%v", err).On("service_name")
		}
		if problems := p.Validate(in); len(problems) > 0 {
			return contract.Stack{}, contract.Fail(contract.InvalidInput, "%s: %s", problems[0].Attribute, problems[0].Message).On(problems[0].Attribute)
		}
		stack, err := p.Stack(ref, in)
		if err != nil {
			failure := contract.Fail(contract.InvalidInput, "the input of %s cannot be expanded: %v", ref.ID(), err)
			var problem Problem
			if errors.As(err, &problem) {
				failure.Attribute = problem.Attribute
			}
			return contract.Stack{}, failure
		}
		return stack, nil
	}
	return entry
}

func (p Pipeline[In]) reach(ref contract.Ref, input json.RawMessage) (endpoints map[string]string, datasourceUID string, err error) {
	in, err := decode[In](input)
	if err != nil {
		return nil, "", err
	}
	if p.Endpoints != nil {
		endpoints = p.Endpoints(ref, in)
	}
	if p.DatasourceUID != nil {
		datasourceUID = p.DatasourceUID(ref, in)
	}
	return endpoints, datasourceUID, nil
}

// decode refuses unknown attributes that have a value: a misspelt one would otherwise silently mean the default, and one of a
// newer provider would silently be left out. One that is null was not written, so it never matters.
func decode[In any](input json.RawMessage) (In, error) {
	var in In
	input = contract.WithoutNulls(input)
	if len(input) == 0 {
		return in, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.DisallowUnknownFields()
	return in, decoder.Decode(&in)
}

// UpgradeWorker is the hint of a failure that an attribute unknown to this worker has caused. The workflow, which knows the
// client's version, makes it more precise.
const UpgradeWorker = "check the attribute's name; if the provider knows it, run an orch-worker of the provider's version"

// unreadable is the failure of an input that decode refuses.
func unreadable(ref contract.Ref, err error) *contract.StepFailure {
	// encoding/json has no type for this error, so its text is all there is: json: unknown field "x".
	if _, quoted, found := strings.Cut(err.Error(), "unknown field "); found {
		name := strings.Trim(quoted, `"`)
		return contract.Fail(contract.InvalidInput, "the input of %s has the attribute %q, which this worker does not know", ref.ID(), name).
			Next(UpgradeWorker)
	}
	return contract.Fail(contract.InvalidInput, "the input of %s cannot be read: %v", ref.ID(), err)
}

// Validate finds everything in an input that cannot work, whoever wrote it: HCL and API starts go through the same rules.
func (p Pipeline[In]) Validate(in In) []Problem {
	problems := p.Shared(in).check()
	components := p.Components(contract.Ref{}, in)
	for _, c := range components {
		problems = append(problems, checkContainer(c)...)
	}
	problems = append(problems, checkPorts(components)...)
	if p.Check != nil {
		problems = append(problems, p.Check(in)...)
	}
	return problems
}

// reachable is the address at which published ports answer: all interfaces include the loopback one.
func (s Shared) reachable() string {
	bind := or(s.BindAddress, DefaultBindAddress)
	if ip := net.ParseIP(bind); ip != nil && ip.IsUnspecified() {
		return DefaultBindAddress
	}
	return bind
}

func hostPort(host string, port int64) string {
	return net.JoinHostPort(host, strconv.FormatInt(port, 10))
}

func concat(problems ...[]Problem) []Problem { return slices.Concat(problems...) }

// or is *v, or def when v is nil.
func or[T any](v *T, def T) T {
	if v == nil {
		return def
	}
	return *v
}

// orZero is *v, or an empty T when the block is absent.
func orZero[T any](v *T) T {
	var zero T
	return or(v, zero)
}

// Names returns the names of a stack's components, sorted.
func Names(stack contract.Stack) []string {
	names := make([]string, 0, len(stack.Components))
	for _, c := range stack.Components {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}
