package workflows

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/temporal-orchestrator/terraform-provider-orch/internal/catalog"
	"github.com/temporal-orchestrator/terraform-provider-orch/internal/contract"
)

// stdoutIngest holds the workflows of orch_stdout_ingest. Setup says what is followed and starts the tail, which is a workflow
// of its own and goes on until Cleanup. All but the tail have the retry policy of pipelines.
type stdoutIngest struct{}

// briefly is the policy of the steps that have 30 seconds: adding the data source and starting to ship.
func briefly(ctx workflow.Context, summary string) workflow.Context {
	options := workflow.GetActivityOptions(stackOptions(ctx, summary))
	options.ScheduleToCloseTimeout, options.StartToCloseTimeout = 30*time.Second, 30*time.Second
	return workflow.WithActivityOptions(ctx, options)
}

// untilTrue asks again and again for 30 seconds.
func untilTrue(ctx workflow.Context, summary string) workflow.Context {
	options := workflow.GetActivityOptions(briefly(ctx, summary))
	options.RetryPolicy = &temporal.RetryPolicy{InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 1.5, MaximumInterval: 2 * time.Second}
	return workflow.WithActivityOptions(ctx, options)
}

// Setup configures the ingest, lists what it finds, and has the tail work with the configuration.
func (s stdoutIngest) Setup(ctx workflow.Context, req contract.Request) (contract.Result, error) {
	ctx = stack{}.family(ctx)
	spec, err := s.expand(ctx, req, req.Input)
	if err != nil {
		return contract.Result{}, failed(stepFailed(catalog.StepConfigure, err))
	}
	undo := &rollback{keep: req.OnFailure == contract.OnFailureKeep}
	result, err := s.setup(ctx, req, spec, undo)
	if err != nil {
		return contract.Result{}, failed(undo.run(ctx, err))
	}
	return result, nil
}

func (s stdoutIngest) setup(ctx workflow.Context, req contract.Request, spec contract.Ingest, undo *rollback) (contract.Result, error) {
	call := contract.TailCall{Ingest: spec, Operation: req.Operation, RunID: workflow.GetInfo(ctx).WorkflowExecution.RunID}
	prepared, err := run(stackOptions(ctx, catalog.StepConfigure), contract.PrepareLogTail, call)
	if err != nil {
		return contract.Result{}, stepFailed(catalog.StepConfigure, err)
	}
	undo.owns = prepared.Adopted == nil
	// From here on the run belongs to this engine: a worker of the same queue on another host must not take a step.
	call.Ingest.EngineID = prepared.EngineID
	if err := s.leave(ctx, req, call.Ingest); err != nil {
		return contract.Result{}, err
	}
	if err := s.addDatasource(ctx, call, undo, prepared.Adopted == nil); err != nil {
		return contract.Result{}, err
	}
	sources, unreadable, err := s.discover(ctx, call)
	if err != nil {
		return contract.Result{}, err
	}
	status, err := s.startTail(ctx, req, call, undo, prepared.Adopted != nil || req.Operation != contract.OpCreate)
	if err != nil {
		return contract.Result{}, err
	}
	enriched := 0
	for _, source := range sources {
		if len(source.Labels) > 0 {
			enriched++
		}
	}
	state := "running"
	switch {
	case status.Failing:
		state = "waiting"
	case len(unreadable) > 0:
		state = "incomplete"
	}
	return contract.Result{
		Message:  fmt.Sprintf("ingest started: discovered=%d enriched=%d status=%s", len(sources), enriched, state),
		EngineID: prepared.EngineID, Adopted: prepared.Adopted,
	}, nil
}

// leave takes the data source out of the Grafana that had it before, when another one or none is to have it now.
func (s stdoutIngest) leave(ctx workflow.Context, req contract.Request, now contract.Ingest) error {
	if len(req.Prior) == 0 {
		return nil
	}
	before, err := s.expand(ctx, req, req.Prior)
	if err != nil || before.Grafana == nil || now.Grafana != nil && now.Grafana.URL == before.Grafana.URL {
		return nil //nolint:nilerr // an input of an older version must not stand in the way
	}
	_, err = run(stackOptions(ctx, "remove from grafana"), contract.RemoveGrafana, contract.GrafanaCall{EngineID: now.EngineID, Objects: *before.Grafana})
	if err != nil {
		return stepFailed("leave_grafana", err)
	}
	return nil
}

func (s stdoutIngest) addDatasource(ctx workflow.Context, call contract.TailCall, undo *rollback, newlyMade bool) error {
	if call.Ingest.Grafana == nil {
		return nil
	}
	objects := contract.GrafanaCall{EngineID: call.Ingest.EngineID, Objects: *call.Ingest.Grafana}
	if newlyMade && call.Operation == contract.OpCreate {
		undo.add("objects in Grafana", func(ctx workflow.Context) (contract.Undone, error) {
			return run(stackOptions(ctx, "remove from grafana"), contract.RemoveGrafana, objects)
		})
	}
	if err := do(briefly(ctx, catalog.StepLokiDatasource), contract.EnsureGrafana, objects); err != nil {
		return stepFailed(catalog.StepLokiDatasource, err)
	}
	return nil
}

// discover lists files and containers at the same time, and brings them together: each once, the oldest first, with the
// labels that their lines get. What fits and cannot be read is listed apart.
func (s stdoutIngest) discover(ctx workflow.Context, call contract.TailCall) (sources []contract.LogSource, unreadable []string, err error) {
	files := begin(stackOptions(ctx, catalog.StepDiscoverFiles), contract.DiscoverLogFiles, call)
	containers := begin(stackOptions(ctx, catalog.StepDiscoverContainers), contract.DiscoverContainerLogs, call)
	inFiles, err := files.get(ctx)
	if err != nil {
		return nil, nil, stepFailed(catalog.StepDiscoverFiles, err)
	}
	inContainers, err := containers.get(ctx)
	if err != nil {
		return nil, nil, stepFailed(catalog.StepDiscoverContainers, err)
	}
	sources = enrich(merge(inFiles.Sources, inContainers.Sources), call.Ingest, inFiles.Host)
	return sources, slices.Concat(inFiles.Unreadable, inContainers.Unreadable), nil
}

// merge puts files and containers into one list, the oldest first. A file that an engine keeps a container's log in is
// followed as that container.
func merge(files, containers []contract.LogSource) []contract.LogSource {
	seen, behind := map[string]bool{}, map[string]bool{}
	for _, c := range containers {
		behind[c.LogPath] = true
	}
	all := []contract.LogSource{}
	for _, source := range slices.Concat(containers, files) {
		if seen[source.Identity] || source.Path != "" && behind[source.Path] {
			continue
		}
		seen[source.Identity] = true
		all = append(all, source)
	}
	slices.SortStableFunc(all, func(a, b contract.LogSource) int {
		return cmp.Or(a.Modified.Compare(b.Modified), cmp.Compare(a.Path+a.Container, b.Path+b.Container))
	})
	return all
}

// enrich adds the labels that the lines of each source get.
func enrich(sources []contract.LogSource, spec contract.Ingest, host string) []contract.LogSource {
	for i := range sources {
		labels := maps.Clone(spec.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		labels["service.name"] = spec.Ref.Service
		if host != "" {
			labels["host.name"] = host
		}
		if source := sources[i]; source.Path != "" {
			labels["log.file.path"] = source.Path
		} else {
			labels["container.name"], labels["container.id"] = source.Container, source.ID
		}
		sources[i].Labels = labels
	}
	return sources
}

// startTail has the tail work with the configuration. A rollback of an update goes back to the prior one, and only what a
// create has made is removed: what was there before knows how far it has shipped.
func (s stdoutIngest) startTail(ctx workflow.Context, req contract.Request, call contract.TailCall, undo *rollback, before bool) (contract.TailStatus, error) {
	back := call
	if before {
		back.Prior = &call.Ingest
	}
	if len(req.Prior) > 0 {
		if prior, err := s.expand(ctx, req, req.Prior); err == nil {
			prior.EngineID = call.Ingest.EngineID
			back.Prior = &prior
		}
	}
	undo.add("tail", func(ctx workflow.Context) (contract.Undone, error) {
		return run(stackOptions(ctx, "restore tail"), contract.RestoreLogTail, back)
	})
	if err := do(briefly(ctx, catalog.StepStartTail), contract.StartLogTail, call); err != nil {
		return contract.TailStatus{}, stepFailed(catalog.StepStartTail, err)
	}
	status, err := run(untilTrue(ctx, "wait for the tail"), contract.CheckLogTail, call)
	if err != nil {
		return contract.TailStatus{}, stepFailed(catalog.StepStartTail, err)
	}
	return status, nil
}

// Tail follows and ships for as long as it is not cancelled. A signal brings another configuration; the checkpoint stays.
func (s stdoutIngest) Tail(ctx workflow.Context, call contract.TailCall) error {
	working, stop := workflow.WithCancel(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 24 * time.Hour, HeartbeatTimeout: 10 * time.Second, WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Second, MaximumInterval: 10 * time.Second},
		Summary:     "follow and ship logs",
	}))
	done := workflow.ExecuteActivity(working, contract.TailLogs.Name, call)
	configure := workflow.GetSignalChannel(ctx, contract.SignalConfigure)
	next := call
	var err error
	for ended := false; !ended; {
		workflow.NewSelector(ctx).
			AddFuture(done, func(f workflow.Future) { ended, err = true, f.Get(ctx, nil) }).
			AddReceive(configure, func(c workflow.ReceiveChannel, _ bool) {
				next = received(ctx, c)
				if next.Ingest.Digest() != call.Ingest.Digest() || next.Ingest.EngineID != call.Ingest.EngineID {
					stop()
				}
			}).Select(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for configure.Len() > 0 {
		next = received(ctx, configure) // what came last counts
	}
	if err != nil && !temporal.IsCanceledError(err) {
		// Its policy has no end, so this is a timeout of the whole activity. It begins anew after a moment.
		workflow.GetLogger(ctx).Warn("the tail ended", "error", err)
		if err := workflow.Sleep(ctx, 10*time.Second); err != nil {
			return err
		}
	}
	// A new run each time keeps the history short.
	return workflow.NewContinueAsNewError(ctx, contract.StdoutIngest.TailWorkflow(), next)
}

// received is the next configuration. It shares nothing with an earlier one: decoding adds to maps that are there.
func received(ctx workflow.Context, from workflow.ReceiveChannel) contract.TailCall {
	var call contract.TailCall
	from.Receive(ctx, &call)
	return call
}

// Cleanup ends the tail, takes its data source out of Grafana, and forgets what was read. The logs stay where they are.
func (s stdoutIngest) Cleanup(ctx workflow.Context, req contract.Request) (contract.Removed, error) {
	ctx = stack{}.family(ctx)
	ref := req.Ref(contract.StdoutIngest)
	if err := ref.Validate(); err != nil {
		return contract.Removed{}, failed(stepFailed("remove", contract.Fail(contract.InvalidInput, "%v", err)))
	}
	call := contract.TailCall{Ingest: contract.Ingest{Ref: ref, EngineID: req.EngineID}, Operation: contract.OpDelete}
	objects, err := s.grafanaOf(ctx, req, call)
	if err != nil {
		return contract.Removed{}, failed(stepFailed("remove_from_grafana", err))
	}
	if objects != nil {
		_, err := run(stackOptions(ctx, "remove from grafana"), contract.RemoveGrafana, contract.GrafanaCall{EngineID: req.EngineID, Objects: *objects})
		if err != nil {
			return contract.Removed{}, failed(stepFailed("remove_from_grafana", err))
		}
	}
	removed, err := run(stackOptions(ctx, "remove"), contract.RemoveLogTail, call)
	if err != nil {
		return contract.Removed{}, failed(stepFailed("remove", err))
	}
	removed.Message = fmt.Sprintf("%s removed", ref.ID())
	return removed, nil
}

// grafanaOf is what the ingest has put into a Grafana. A start that names the service alone is helped out by what the worker
// keeps.
func (s stdoutIngest) grafanaOf(ctx workflow.Context, req contract.Request, call contract.TailCall) (*contract.GrafanaObjects, error) {
	if len(req.Input) > 0 {
		spec, err := s.expand(ctx, req, req.Input)
		if err != nil {
			return nil, nil //nolint:nilerr // an input of an older version must not stand in the way of a removal
		}
		return spec.Grafana, nil
	}
	seen, err := run(stackOptions(ctx, "inspect"), contract.InspectLogTail, call)
	if err != nil || seen.Config == nil {
		return nil, err
	}
	return seen.Config.Grafana, nil
}

// Status looks at the tail and its data source. Without an input it goes by what the worker keeps, which is what an import
// needs.
func (s stdoutIngest) Status(ctx workflow.Context, req contract.Request) (contract.IngestObserved, error) {
	ctx = stack{}.family(ctx)
	ref := req.Ref(contract.StdoutIngest)
	if err := ref.Validate(); err != nil {
		return contract.IngestObserved{}, failed(stepFailed("inspect", contract.Fail(contract.InvalidInput, "%v", err)))
	}
	wanted := contract.Ingest{Ref: ref, EngineID: req.EngineID}
	if len(req.Input) > 0 {
		var err error
		if wanted, err = s.expand(ctx, req, req.Input); err != nil {
			return contract.IngestObserved{}, failed(stepFailed("inspect", err))
		}
	}
	seen, err := run(stackOptions(ctx, "inspect"), contract.InspectLogTail, contract.TailCall{Ingest: wanted, Operation: contract.OpStatus})
	if err != nil {
		return contract.IngestObserved{}, failed(stepFailed("inspect", err))
	}
	out := contract.IngestObserved{Observed: contract.Observed{EngineID: seen.EngineID, Found: seen.Found || seen.Open}, Tail: seen.Status}
	if seen.Config != nil {
		out.Input = seen.Config.Input
	}
	if out.Found {
		out.Drift = drift(seen, wanted, len(req.Input) > 0)
	}
	if wanted.Grafana != nil && out.Found {
		state, err := run(stackOptions(ctx, "inspect grafana"), contract.InspectGrafana, contract.GrafanaCall{EngineID: req.EngineID, Objects: *wanted.Grafana})
		if err != nil {
			return contract.IngestObserved{}, failed(stepFailed("inspect_grafana", err))
		}
		out.Grafana = state.Drift
	}
	return out, nil
}

// drift says what is not as it should be.
func drift(seen contract.TailObserved, wanted contract.Ingest, compare bool) []contract.Finding {
	var found []contract.Finding
	tail := func(what string) { found = append(found, contract.Finding{About: "tail", What: what}) }
	if !seen.Open {
		tail("its workflow does not run, so nothing is shipped")
	}
	if seen.Idle != "" {
		tail("it does not work: " + seen.Idle)
	}
	if seen.Config == nil {
		tail("its configuration is missing on the worker's host")
	} else if compare && seen.Config.Digest() != wanted.Digest() {
		tail("it works with another configuration")
	}
	return found
}

// Discover lists what a configuration would follow, and changes nothing.
func (s stdoutIngest) Discover(ctx workflow.Context, req contract.Request) (contract.Discovered, error) {
	ctx = stack{}.family(ctx)
	spec, err := s.expand(ctx, req, req.Input)
	if err != nil {
		return contract.Discovered{}, failed(stepFailed(catalog.StepConfigure, err))
	}
	call := contract.TailCall{Ingest: spec, Operation: contract.OpStatus}
	files, err := run(stackOptions(ctx, catalog.StepDiscoverFiles), contract.DiscoverLogFiles, call)
	if err != nil {
		return contract.Discovered{}, failed(stepFailed(catalog.StepDiscoverFiles, err))
	}
	containers, err := run(stackOptions(ctx, catalog.StepDiscoverContainers), contract.DiscoverContainerLogs, call)
	if err != nil {
		return contract.Discovered{}, failed(stepFailed(catalog.StepDiscoverContainers, err))
	}
	files.Sources = enrich(merge(files.Sources, containers.Sources), spec, files.Host)
	files.Unreadable = append(files.Unreadable, containers.Unreadable...)
	files.EngineID = containers.EngineID
	return files, nil
}

// expand builds the ingest once and records it.
func (s stdoutIngest) expand(ctx workflow.Context, req contract.Request, input []byte) (contract.Ingest, error) {
	spec, err := recorded(ctx, req,
		func(made *contract.Ingest) expanded[contract.Ingest] { return expanded[contract.Ingest]{Ingest: made} },
		func() (contract.Ingest, error) {
			//workflowcheck:ignore recorded calls it in a side effect
			return catalog.ExpandStdoutIngest(req.Ref(contract.StdoutIngest), input)
		})
	spec.EngineID = req.EngineID
	return spec, err
}
